import { getLogger } from "../core/log.ts";
import type { Job } from "../transport/job.ts";

/** Folders that wait for their removal at most. */
const LARGEST = 32;

/**
 * Removes the folders of ended jobs some time after their steps ended. Until the engine has
 * journaled how a step ended, its job must be found again by a runner that takes over.
 */
export class JobSweep implements AsyncDisposable {
  #jobs: Job[] = [];
  #sweeping: Promise<void> = Promise.resolve();

  add(job: Job): void {
    this.#jobs.push(job);
    if (this.#jobs.length > LARGEST) this.#sweep(this.#jobs.splice(0, LARGEST / 2));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#sweep(this.#jobs.splice(0));
    await this.#sweeping;
  }

  #sweep(jobs: readonly Job[]): void {
    const removed = Promise.all(jobs.map((job) =>
      // What stays is listed by `grid ps`, and no reason to fail a run that went well.
      job.remove().catch((error) => getLogger("steps").warn(`${error}`))
    ));
    this.#sweeping = Promise.all([this.#sweeping, removed]).then(() => {});
  }
}
