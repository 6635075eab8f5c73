/**
 * A supervised process on a node: survives the link, can be attached to again, and can be ended
 * together with everything it started. The same protocol serves the local transport.
 */
import type { Transport } from "../transport.ts";
import type { Usage } from "../../core/usage.ts";

export interface JobSpec {
  /** Unique per attempt; `[A-Za-z0-9._-]`. A start repeated with the same id attaches. */
  readonly id: string;
  /** Absolute `remote_root`; its files are `<root>/.grid/jobs/<id>.*`. */
  readonly root: string;
  /** Script text. */
  readonly command: string;
  /** `bash` means `bash -eo pipefail`, or `sh -e` where there is no bash. */
  readonly shell: "bash" | "sh";
  /** Absolute folder to start in. */
  readonly cwd: string;
  /** Travels over stdin, never on a command line. */
  readonly env: Readonly<Record<string, string>>;
  /** Variables that name a file of the job with this content; also for values that no variable can carry. */
  readonly files?: Readonly<Record<string, string>>;
  /** Environment too, but kept out of every file on the node, and masked in what the job prints. */
  readonly secrets: Readonly<Record<string, string>>;
  /** Of a secret that is JSON: paths of what is masked in it; default: what looks secret. */
  readonly masks?: Readonly<Record<string, readonly string[]>>;
  /** Folders put before PATH. */
  readonly pathPrefix: readonly string[];
  /** Goes on when the runner is gone; otherwise ended after `leaseMs` without a renewal. */
  readonly detach: boolean;
  readonly leaseMs: number;
  /** Of a detached one: the node itself ends it then, counted from its start. */
  readonly life?: { readonly ms: number; readonly graceMs: number } | undefined;
  /** JSON for whoever looks for it on its node: it is a service. */
  readonly service?: string | undefined;
  /** It is given something to read (see `JobInput`); otherwise its standard input is empty. */
  readonly hasInput?: boolean;
  /**
   * A file that tells of the job's process: its path and, from the second line on, its text, with `{pid}` and
   * what else `launcher.pl` knows. Only where a launcher starts the job, which then finds `GRID_RECORDED`;
   * elsewhere it finds this as `GRID_RECORD`.
   */
  readonly record?: string | undefined;
  /** It will not be the last on this node: what pays from a few jobs on pays at once. */
  readonly isOneOfMany?: boolean;
}

export interface FollowOptions {
  /** Called in order, byte-exact; a promise holds the stream back. */
  readonly onOutput: (stream: "stdout" | "stderr", bytes: Uint8Array) => void | Promise<void>;
  /** Ends the following, not the job. */
  readonly signal: AbortSignal;
}

export type JobExit =
  /** `by` says that the node itself ended the job: no runner renewed its lease, or its time was over. */
  | { readonly kind: "code"; readonly code: number; readonly by?: "time" }
  | { readonly kind: "signal"; readonly signal: string; readonly by?: "lease" | "time" }
  /** The node no longer knows the process and it left no exit code (reboot, kill -9 of the supervisor). */
  | { readonly kind: "vanished" };

export interface KillReport {
  /** Processes that could not be ended; empty is "0 survivors". */
  readonly survivors: readonly { readonly pid: number; readonly command: string }[];
  /**
   * Programs that were among the processes and have somebody else do their work, such as `docker`; what
   * they had started is no process of the job, and nobody has looked for it.
   */
  readonly handedOver: readonly string[];
}

export interface Job {
  readonly id: string;
  /** What went well but not as it should, in words; complete once `follow` has returned. */
  readonly warnings: readonly string[];
  /** Once `follow` has returned: something of it runs on for certain; otherwise nobody has looked. */
  readonly hasLeft: boolean;
  /** Of its output, by now: bytes that were followed. */
  readonly printedBytes: number;
  /** Once `follow` has returned: what it used of its node; undefined where nobody knows. */
  readonly usage: Usage | undefined;
  /**
   * Streams output from where this object last stopped until the job ends. Reconnects after a lost
   * link, nothing lost and nothing doubled.
   *
   * @throws {GridError} `lost` when the node stays away longer than the lease; the signal's reason
   */
  follow(options: FollowOptions): Promise<JobExit>;
  /** SIGTERM to the whole tree, the grace, SIGKILL, then a look for survivors. */
  kill(options: { readonly graceMs: number; readonly signal?: AbortSignal }): Promise<KillReport>;
  /** What the command wrote to the file named by `$GRID_OUTPUT`. */
  readOutputFile(): Promise<string>;
  /** Removes the job's files; only after it ended. */
  remove(): Promise<void>;
}

export interface JobListing {
  readonly id: string;
  readonly state: "running" | "ended";
  readonly exitCode: number | undefined;
  /** By this machine's clock. */
  readonly startedAt: number;
  readonly detached: boolean;
  /** It is meant to stay; `listServices` tells more. */
  readonly service?: boolean;
  readonly pids: readonly number[];
}

/** `startJob` and `attachJob` of `job_start.ts`; the first is safe to repeat, the second never starts anything. */
export type StartJob = (transport: Transport, spec: JobSpec) => Promise<Job>;
export type AttachJob = (
  transport: Transport,
  spec: Pick<JobSpec, "id" | "root" | "leaseMs">,
) => Promise<Job | undefined>;
/** `listJobs` of `job_list.ts`. */
export type ListJobs = (transport: Transport, root: string) => Promise<readonly JobListing[]>;
