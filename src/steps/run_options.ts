/** What the commands of a run share. */
import type { Cluster } from "../cluster/cluster.ts";
import type { JobInput } from "../transport/job/job_input.ts";
import type { RunTrees } from "./run_trees.ts";

export interface RunStepOptions {
  readonly cluster:
    & Pick<Cluster, "open" | "select" | "claim">
    /** For commands that run on many nodes at once. */
    & Partial<Pick<Cluster, "gather" | "release">>;
  /** How long a job outlives its runner, unless it is detached; default 5 minutes. */
  readonly leaseMs?: number;
  /** How many commands the run may come to; default: nobody knows. */
  readonly commands?: number;
  /** By secret: what is masked in one that is JSON. */
  readonly masks?: Readonly<Record<string, readonly string[]>>;
  /** What the one command reads; absent: nothing. */
  readonly input?: JobInput | undefined;
  /** Absent: no code is proved to be the run's. */
  readonly trees?: RunTrees | undefined;
}
