/** Drivers that load Ray while the syncs before their steps still run. */
import { getLogger } from "../core/log.ts";
import type { Job } from "../transport/job/job.ts";
import { isJobRunning } from "../transport/job/job_start.ts";
import { type BootOptions, giveUp, identityOf, startBoot } from "./driver_boot.ts";
import { driverPaths } from "./driver_spec.ts";

/** Nothing waits longer for its step: what is loaded takes memory of the node, and its step may never come. */
const MOST_AHEAD_MS = 60_000;

interface Ahead {
  /** All that the process was started with. */
  readonly likeness: string;
  /** Undefined where it could not be started; its step will tell why. */
  readonly job: Promise<Job | undefined>;
  readonly timer: ReturnType<typeof setTimeout>;
}

/** One per run. */
export class DriversAhead implements AsyncDisposable {
  readonly #byStart = new Map<string, Ahead>();
  readonly #ending: Promise<void>[] = [];

  /** Starts the process, under a name of its own, so that it is never mistaken for the step's attempt. */
  begin(options: Omit<BootOptions, "cwd">): void {
    const { head, start } = options;
    if (start.detach || this.#byStart.has(start.id)) return;
    const named = { ...start, id: aheadId(start.id) };
    const paths = driverPaths(head.root, named);
    const job = startBoot({ ...options, start: named, cwd: head.root }, paths).catch((error) => {
      getLogger("ray").debug(`no driver was started ahead: ${error}`);
      return undefined;
    });
    const { leaseMs } = identityOf(head, start);
    const timer = setTimeout(() => this.#end(start.id), Math.min(MOST_AHEAD_MS, leaseMs / 3));
    this.#byStart.set(start.id, { likeness: likenessOf(options), job, timer });
  }

  /** The process that waits for this very batch, where there is one; its caller owns it from now on. */
  async take(options: Omit<BootOptions, "cwd">): Promise<Job | undefined> {
    const { head, start } = options;
    const ahead = this.#byStart.get(start.id);
    if (ahead === undefined) return undefined;
    const job = await ahead.job;
    // Where something that it reads became known meanwhile, or the node has ended it, it is of no use.
    const isFit = ahead.likeness === likenessOf(options) && job !== undefined &&
      await isJobRunning(head.transport, { ...identityOf(head, start), id: job.id }).catch(() =>
        false
      );
    // It may have waited too long by now.
    if (!isFit || !this.#byStart.has(start.id)) {
      this.#end(start.id);
      return undefined;
    }
    this.#byStart.delete(start.id);
    clearTimeout(ahead.timer);
    return job;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const id of [...this.#byStart.keys()]) this.#end(id);
    await Promise.all(this.#ending);
  }

  #end(id: string): void {
    const ahead = this.#byStart.get(id);
    if (ahead === undefined) return;
    this.#byStart.delete(id);
    clearTimeout(ahead.timer);
    this.#ending.push(ahead.job.then((job) => job && giveUp(job)));
  }
}

function aheadId(id: string): string {
  return `${id}-ahead`;
}

function likenessOf({ head, start, env }: Omit<BootOptions, "cwd">): string {
  const { id, resultsKey, prelude = "", leaseMs } = start;
  const sorted = (values: object) => Object.entries(values).sort(([a], [b]) => a < b ? -1 : 1);
  const variables = [start.env, start.secrets, env].map(sorted);
  return JSON.stringify([head.node.name, head.root, id, resultsKey, prelude, leaseMs, variables]);
}
