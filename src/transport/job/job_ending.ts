/** Ending a job without losing what it says on being told to end. */
import type { FollowOptions, Job, KillReport } from "./job.ts";

export interface EndOptions extends Pick<FollowOptions, "onOutput"> {
  readonly graceMs: number;
}

/** How long the last bytes may take once nothing runs that could add to them. */
const LAST_BYTES_MS = 5000;
/** Why nobody reads on. */
const ENOUGH = Symbol("the job has ended");

/**
 * Kills the job and hands on meanwhile what it prints, from where following it stopped: "saved a
 * checkpoint" is worth most where a command was ended. Nobody may be following it any more.
 *
 * @throws {GridError} `lost` where the node stays away
 */
export async function endJob(job: Job, { graceMs, onOutput }: EndOptions): Promise<KillReport> {
  const enough = new AbortController();
  // The kill says what is wrong with the way to the node.
  const reading = job.follow({ onOutput, signal: enough.signal }).then(() => {}, () => {});
  try {
    const report = await job.kill({ graceMs });
    // Survivors may print for ever.
    if (report.survivors.length === 0) await within(LAST_BYTES_MS, reading);
    return report;
  } finally {
    enough.abort(ENOUGH);
  }
}

async function within(ms: number, settled: Promise<void>): Promise<void> {
  const timeUp = Promise.withResolvers<void>();
  const timer = setTimeout(timeUp.resolve, ms);
  await Promise.race([settled, timeUp.promise]);
  clearTimeout(timer);
}
