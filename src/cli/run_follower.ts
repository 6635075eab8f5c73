/** A run that another process runs, or ran, told as its own process tells it: from its journal and logs. */
import { join } from "node:path";
import { type Clock, systemClock } from "../core/clock.ts";
import type { Event } from "../engine/event.ts";
import type { RunReader } from "../engine/reader.ts";
import { reduce, type RunState } from "../engine/reduce.ts";
import { type LogNames, logNames } from "../report/log_names.ts";
import { type LogTime, partsByTime, readLogTimes } from "../report/log_times.ts";
import type { PastRuns } from "./past_runs.ts";

/** The present, but for what is told of the past: that happened when its event says. */
export class ReplayClock implements Clock {
  /** When what is told happened: milliseconds since the Unix epoch; undefined: now. */
  at: number | undefined;

  now(): number {
    return this.at ?? systemClock.now();
  }

  monotonic(): number {
    const passed = this.at === undefined ? 0 : Math.max(0, systemClock.now() - this.at);
    return systemClock.monotonic() - passed;
  }

  sleep(...wait: Parameters<Clock["sleep"]>): Promise<void> {
    return systemClock.sleep(...wait);
  }
}

/** A person does not notice a quarter of a second. */
const POLL_MS = 250;
/** What a runner may take for its reports after the last event. */
const REPORTS_MS = 10_000;
const CHUNK_BYTES = 64 * 1024;

interface OpenLog {
  readonly step: string;
  readonly attempt: number;
  readonly name: string;
  /** Told so far. */
  bytes: number;
}

export interface FollowRunOptions {
  readonly runs: PastRuns;
  /** Its full id. */
  readonly run: string;
  readonly reader: RunReader;
  /** The reader's own. */
  readonly clock: ReplayClock;
  readonly signal: AbortSignal;
}

/**
 * Hands everything on from the beginning, until the run is over or its runner is gone.
 *
 * @returns how the run stands then; its result is `running` where its runner is gone
 * @throws what `signal` is aborted with
 */
export async function followRun(options: FollowRunOptions): Promise<RunState> {
  const { runs, run, signal } = options;
  const follower = new RunFollower(options);
  let over: number | undefined;
  for (;;) {
    // Asked in this order: what it journaled last is there once it has left.
    const isAlive = runs.store.isAlive(run);
    const state = await follower.tellNews();
    if (!isAlive) return state;
    if (state.result !== "running") over ??= systemClock.monotonic();
    if (over !== undefined && systemClock.monotonic() - over > REPORTS_MS) return state;
    await systemClock.sleep(POLL_MS, { signal });
  }
}

class RunFollower {
  readonly #options: FollowRunOptions;
  readonly #logs = new Map<string, OpenLog>();
  readonly #buffer = new Uint8Array(CHUNK_BYTES);
  #told = 0;
  #state: RunState | undefined;
  #names: LogNames | undefined;
  /** While the past is told; what comes later has come just now. */
  #times: ReadonlyMap<string, readonly LogTime[]> | undefined;

  constructor(options: FollowRunOptions) {
    this.#options = options;
  }

  async tellNews(): Promise<RunState> {
    const { runs, run, reader, clock, signal } = this.#options;
    this.#times = this.#told === 0 ? readLogTimes(this.#folder) : undefined;
    for (const event of runs.store.events(run).slice(this.#told)) {
      clock.at = event.at;
      await this.#tellOutput(event);
      this.#state = reduce(this.#state, event);
      reader.event(event, this.#state);
      this.#told += 1;
      signal.throwIfAborted();
    }
    clock.at = undefined;
    for (const log of this.#logs.values()) await this.#tellLog(log);
    if (this.#state === undefined) throw new Error(`the journal of ${run} is empty`);
    return this.#state;
  }

  /** What an attempt printed comes before the event that ends it. */
  async #tellOutput(event: Event): Promise<void> {
    if (event.type === "attempt.started") {
      const { step, attempt } = event;
      this.#logs.set(`${step}\n${attempt}`, { step, attempt, name: this.#nameOf(event), bytes: 0 });
    } else if (event.type === "attempt.finished") {
      const key = `${event.step}\n${event.attempt}`;
      const log = this.#logs.get(key);
      if (log) await this.#tellLog(log);
      this.#logs.delete(key);
    }
  }

  get #folder(): string {
    return join(this.#options.runs.folder(this.#options.run), "logs");
  }

  #nameOf({ step, attempt }: { readonly step: string; readonly attempt: number }): string {
    this.#names ??= logNames(this.#state?.steps.keys() ?? []);
    return this.#names(step, attempt);
  }

  async #tellLog(log: OpenLog): Promise<void> {
    const { reader, clock, signal } = this.#options;
    using file = openIfThere(join(this.#folder, log.name));
    if (file === undefined) return;
    file.seekSync(log.bytes, Deno.SeekMode.Start);
    const told = clock.at;
    const times = this.#times?.get(log.name) ?? [];
    for (;;) {
      const count = file.readSync(this.#buffer) ?? 0;
      if (count === 0) break;
      const { step, attempt, bytes: offset } = log;
      for (const { bytes, at } of partsByTime(this.#buffer.subarray(0, count), { offset, times })) {
        clock.at = at ?? told;
        // Logs do not tell where their lines were printed.
        await reader.output?.({ step, attempt, stream: "stdout", bytes });
      }
      log.bytes += count;
      signal.throwIfAborted();
    }
    clock.at = told;
  }
}

function openIfThere(path: string): Deno.FsFile | undefined {
  try {
    return Deno.openSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined; // it printed nothing yet
    throw error;
  }
}
