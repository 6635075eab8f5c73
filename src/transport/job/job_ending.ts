/** Ending a job without losing what it says on being told to end. */
import { systemClock } from "../../core/clock.ts";
import type { FollowOptions, Job, JobExit, KillReport } from "./job.ts";

export interface EndOptions extends Pick<FollowOptions, "onOutput"> {
  readonly graceMs: number;
}

export interface EndReport extends KillReport {
  /** How the command itself ended, which may be before what it had started; undefined where it runs on. */
  readonly exit: JobExit | undefined;
}

/** How long the last bytes may take once nothing runs that could add to them. */
const LAST_BYTES_MS = 5000;
/** Between two looks at what is printed after the command itself has ended. */
const LOOK_MS = 250;
/** Why nobody reads on. */
const ENOUGH = Symbol("the job has ended");

/**
 * Kills the job and hands on meanwhile what it prints, from where following it stopped: "saved a
 * checkpoint" is worth most where a command was ended. The command's own shell may be gone long before
 * the program that has something to say. Nobody may be following the job any more.
 *
 * @throws {GridError} `lost` where the node stays away
 */
export async function endJob(job: Job, { graceMs, onOutput }: EndOptions): Promise<EndReport> {
  const enough = new AbortController();
  const over = new AbortController();
  const reading = readOn(job, { onOutput, signal: enough.signal, over: over.signal });
  try {
    const report = await job.kill({ graceMs });
    over.abort(ENOUGH);
    // What cannot be ended may print for ever.
    const ms = report.survivors.length === 0 ? LAST_BYTES_MS : LOOK_MS;
    return { ...report, exit: await within(ms, reading) };
  } finally {
    enough.abort(ENOUGH);
  }
}

interface ReadOptions extends FollowOptions {
  /** Nothing runs any more: what has been printed by then is all there is. */
  readonly over: AbortSignal;
}

async function readOn(job: Job, { over, ...options }: ReadOptions): Promise<JobExit | undefined> {
  try {
    for (;;) {
      const isLast = over.aborted;
      const exit = await job.follow(options);
      if (isLast) return exit;
      await systemClock.sleep(LOOK_MS, { signal: over }).catch(() => {});
    }
  } catch {
    // Given up, or the kill says what is wrong with the way to the node.
    return undefined;
  }
}

async function within<T>(ms: number, settled: Promise<T>): Promise<T | undefined> {
  const timeUp = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => timeUp.resolve(undefined), ms);
  try {
    return await Promise.race([settled, timeUp.promise]);
  } finally {
    clearTimeout(timer);
  }
}
