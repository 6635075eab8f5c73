/** What the commands of a run left running: theirs until the run is over, and ended then. */
import { getLogger } from "../core/log.ts";
import type { SurvivorNote } from "../engine/ports.ts";
import { endSurvivors, type JobSurvivors } from "../transport/job/survivors.ts";
import type { EndedJob } from "./job_sweep.ts";
import { survivorWords } from "./run_failure.ts";

export interface LeavingJob extends Omit<EndedJob, "printedBytes"> {
  readonly step: string;
  readonly killGraceMs: number;
  /** Something is left for certain. */
  readonly hasLeft: boolean;
}

/** Commands that a warning shows. */
const MOST_COMMANDS = 3;
const DEFAULT_GRACE_MS = 10_000;

interface NodeJobs extends Pick<EndedJob, "transport" | "root"> {
  /** By job. */
  readonly jobs: Map<string, LeavingJob>;
}

export class Survivors {
  /** How the names of the run's own jobs begin. */
  #prefix: string | undefined;
  readonly #nodes = new Map<string, NodeJobs>();

  /** A job that has ended, whose name begins with `prefix` unless an earlier runner started it. */
  add(job: LeavingJob, { prefix }: { readonly prefix: string }): void {
    const { transport, root } = job;
    this.#prefix = prefix;
    const key = `${transport.endpoint.name} ${root}`;
    const node = this.#nodes.get(key) ?? { transport, root, jobs: new Map() };
    this.#nodes.set(key, node);
    node.jobs.set(job.id, job);
  }

  /** Ends what is left on each node where a command ran, all at once; the second time there is nothing. */
  async end(): Promise<readonly SurvivorNote[]> {
    const nodes = [...this.#nodes.values()];
    this.#nodes.clear();
    return (await Promise.all(nodes.map((node) => this.#endOn(node)))).flat();
  }

  async #endOn({ transport, root, jobs }: NodeJobs): Promise<readonly SurvivorNote[]> {
    const prefix = this.#prefix ?? "";
    const named = [...jobs.values()].filter(({ id, hasLeft }) => hasLeft || !id.startsWith(prefix));
    try {
      const left = await endSurvivors(transport, {
        root,
        jobs: [`${prefix}*`, ...named.map(({ id }) => id)],
        isCertain: named.some(({ hasLeft }) => hasLeft),
        graceMs: (id) => jobs.get(id)?.killGraceMs ?? DEFAULT_GRACE_MS,
      });
      return left.map((found) => ({
        step: jobs.get(found.job)?.step,
        message: leftWords(found),
      }));
    } catch (error) {
      // A node that cannot be reached has told so already, and may have nothing.
      getLogger("steps").debug(`${error}`);
      return [];
    }
  }
}

function leftWords({ commands, ...report }: JobSurvivors): string {
  const shown = commands.slice(0, MOST_COMMANDS).join("; ");
  const more = commands.length > MOST_COMMANDS
    ? ` and ${commands.length - MOST_COMMANDS} more`
    : "";
  const isEnded = report.survivors.length === 0 && report.handedOver.length === 0;
  const end = isEnded ? "ended" : survivorWords(report);
  return `left running: ${shown}${more}; ${end}`;
}
