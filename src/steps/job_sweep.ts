import { setImmediate } from "node:timers/promises";
import { getLogger } from "../core/log.ts";
import { removeJobs } from "../transport/job/job_list.ts";
import type { Transport } from "../transport/transport.ts";

/**
 * Jobs per node that wait for their removal at most. One call removes many; and to a file system that has just
 * given up many files, making new ones comes dear (ext4 passes by their places for a while).
 */
const MOST_JOBS = 512;
/** What they printed, all together. */
const MOST_BYTES = 64 * 2 ** 20;
/** The newest stay: how their steps ended may not be journaled yet. */
const NEWEST = 16;

export interface EndedJob {
  readonly transport: Transport;
  /** Absolute `remote_root`. */
  readonly root: string;
  readonly id: string;
  /** What lies on the node of what it printed. */
  readonly printedBytes: number;
}

/**
 * Removes the files of ended jobs some time after their steps ended. Until the engine has
 * journaled how a step ended, its job must be found again by a runner that takes over.
 */
export class JobSweep implements AsyncDisposable {
  readonly #ended = new Map<string, EndedJob[]>();
  readonly #late: EndedJob[] = [];
  #sweeping: Promise<void> = Promise.resolve();

  /** `late`: not before the run is over. */
  add(job: EndedJob, { late = false }: { readonly late?: boolean } = {}): void {
    if (late) return void this.#late.push(job);
    const jobs = this.#jobsBeside(job);
    jobs.push(job);
    const bytes = jobs.reduce((sum, { printedBytes }) => sum + printedBytes, 0);
    if (jobs.length <= MOST_JOBS && bytes <= MOST_BYTES) return;
    this.#sweepOldest(jobs, Math.min(jobs.length >> 1, jobs.length - NEWEST));
  }

  /**
   * Removes all but the newest, as the end of the run is near. A few are left for the end: the shell of a node
   * does one thing at a time, and is to be free when that comes.
   */
  settle(): void {
    for (const jobs of this.#ended.values()) {
      if (jobs.length >= 2 * NEWEST) this.#sweepOldest(jobs, jobs.length - NEWEST);
    }
  }

  #sweepOldest(jobs: EndedJob[], count: number): void {
    if (count > 0) this.#sweep(jobs.splice(0, count), { after: journaled() });
  }

  #jobsBeside({ transport, root }: EndedJob): EndedJob[] {
    const key = `${transport.endpoint.name} ${root}`;
    const jobs = this.#ended.get(key) ?? [];
    if (jobs.length === 0) this.#ended.set(key, jobs);
    return jobs;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const job of this.#late) this.#jobsBeside(job).push(job);
    // With what runners that died left behind, long ago, on the nodes that we were on.
    const last = { after: Promise.resolve(), withOld: true };
    for (const jobs of this.#ended.values()) this.#sweep(jobs, last);
    this.#ended.clear();
    await this.#sweeping;
  }

  #sweep(
    jobs: readonly EndedJob[],
    { after, withOld = false }: { readonly after: Promise<void>; readonly withOld?: boolean },
  ): void {
    const [first] = jobs;
    if (!first) return;
    const { transport, root } = first;
    const ids = jobs.map(({ id }) => id);
    const removed = after.then(() => removeJobs(transport, { root, ids, withOld }))
      .catch(warn);
    this.#sweeping = Promise.all([this.#sweeping, removed]).then(() => {});
  }
}

/** The engine journals at the end of each turn of the event loop; a job may have ended in this one. */
async function journaled(): Promise<void> {
  await setImmediate();
  await setImmediate();
}

/** What stays is listed by `grid ps`, and no reason to fail a run that went well. */
function warn(error: unknown): void {
  getLogger("steps").warn(`${error}`);
}
