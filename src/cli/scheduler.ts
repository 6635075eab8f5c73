/** Starts runs when their pipelines say so, as long as it lives; what it decides is in the store. */
import type { Clock } from "../core/clock.ts";
import { type GridError, toGridError } from "../core/errors.ts";
import type { LoadedSchedules } from "../pipeline/load_schedules.ts";
import { CronTimes } from "../schedule/cron.ts";
import { decide, MOST_LOOKED_AT } from "../schedule/decide.ts";
import type { Schedule } from "../schedule/schedule.ts";
import type { Decided, ScheduleDetails } from "../store/schedules.ts";
import type { Store } from "../store/store.ts";
import { oneLine } from "../terminal/harmless.ts";
import type { Begun, NotBegun } from "./runner_elsewhere.ts";

/** Timers stand still while a machine sleeps: the date is looked at this often. */
const LOOK_MS = 1000;
/** Files are looked at this often. */
const FILES_MS = 5000;
/** Of what a runner said that is kept. */
const MOST_WORDS = 1000;

/** A run that is to begin. */
export interface RunOrder {
  readonly file: string;
  readonly inputs: Readonly<Record<string, string>>;
  /** Its id. */
  readonly run: string;
}

export interface SchedulerOptions {
  readonly store: Pick<Store, "schedules" | "requestCancel" | "isAlive" | "row">;
  readonly clock: Clock;
  /** The pipeline files there are, and a mark that changes whenever a file does. */
  readonly files: () => ReadonlyMap<string, string>;
  readonly load: (file: string) => Promise<LoadedSchedules>;
  readonly start: (order: RunOrder) => Promise<Begun | NotBegun>;
  readonly signal: AbortSignal;
}

interface Entry {
  readonly schedule: Schedule;
  readonly details: ScheduleDetails;
  readonly times: CronTimes;
  /** Undefined before the first decision. */
  nextAt: number | undefined;
  isKnown: boolean;
}

export class Scheduler {
  readonly #options: SchedulerOptions;
  /** By file; what cannot be read is as it was read last. */
  readonly #entries = new Map<string, readonly Entry[]>();
  readonly #marks = new Map<string, string>();
  /** What is wrong with a file, by its name. */
  readonly problems = new Map<string, string>();
  #filesAt = -Infinity;
  #told = "";
  #tell: (line: string) => void = () => {};

  constructor(options: SchedulerOptions) {
    this.#options = options;
  }

  /** Until the signal fires; `tell` is given lines for people. */
  async run(tell: (line: string) => void): Promise<void> {
    this.#tell = tell;
    const { clock, signal } = this.#options;
    while (!signal.aborted) {
      await this.look();
      const now = clock.now();
      const next = [...this.#all()].map(({ nextAt }) => nextAt ?? Infinity);
      const wait = Math.min(LOOK_MS, ...next.map((at) => Math.max(1, at - now)));
      await clock.sleep(wait, { signal }).catch(() => {});
    }
  }

  /** Once. What stands in the way of one schedule is none of the others' business. */
  async look(): Promise<void> {
    try {
      await this.#readFiles();
      for (const entry of this.#all()) this.#decide(entry);
      this.#told = "";
    } catch (thrown) {
      // The store, locked by somebody or on a full disk: the times are there at the next look.
      const { message } = toGridError(thrown);
      if (message !== this.#told) this.#tell(`warning: ${message}`);
      this.#told = message;
    }
  }

  *#all(): Iterable<Entry> {
    for (const entries of this.#entries.values()) yield* entries;
  }

  async #readFiles(): Promise<void> {
    const { clock, files, store } = this.#options;
    if (clock.monotonic() - this.#filesAt < FILES_MS) return;
    this.#filesAt = clock.monotonic();
    const found = files();
    for (const [file, mark] of found) {
      if (this.#marks.get(file) === mark) continue;
      this.#marks.set(file, mark);
      await this.#readFile(file);
    }
    for (const file of this.#marks.keys()) {
      if (found.has(file)) continue;
      this.#marks.delete(file);
      this.#entries.delete(file);
      this.problems.delete(file);
      store.schedules.keepOnly(file, []);
    }
  }

  async #readFile(file: string): Promise<void> {
    const { load, store } = this.#options;
    try {
      const { pipeline, schedules } = await load(file);
      this.problems.delete(file);
      this.#entries.set(
        file,
        schedules.map((schedule) => {
          const { name, cron, zone, isEnabled } = schedule;
          return {
            schedule,
            details: { file, name, pipeline, cron, zone, isEnabled },
            times: new CronTimes(cron, zone),
            nextAt: undefined,
            isKnown: false,
          };
        }),
      );
      store.schedules.keepOnly(file, schedules.map(({ name }) => name));
    } catch (thrown) {
      const { message } = toGridError(thrown);
      this.problems.set(file, `${file}: ${message}`);
      this.#tell(
        `warning: ${message}; its schedule stays as it was; to see why: grid validate ${file}`,
      );
    }
  }

  #decide(entry: Entry): void {
    const { store, clock } = this.#options;
    const { schedule, details, times } = entry;
    const now = clock.now();
    const isDue = !entry.isKnown || (entry.nextAt !== undefined && now >= entry.nextAt);
    if (!isDue && !store.schedules.hasOpen(details)) return;
    const nextAt = isDue || entry.nextAt === undefined ? times.next(now) : entry.nextAt;
    const decided = store.schedules.decide(
      details,
      now,
      (known) => ({ ...decide(schedule, known, { times, now }), nextAt }),
    );
    entry.nextAt = nextAt;
    entry.isKnown = true;
    this.#tellOf(entry, decided);
    for (const run of decided.cancel) {
      store.requestCancel(
        run,
        `cancelled: the schedule of ${details.pipeline} starts the next run`,
      );
    }
    for (const { at, run } of decided.starts) void this.#start(entry, { at, run });
  }

  async #start(
    { schedule, details }: Entry,
    { at, run }: { readonly at: number; readonly run: string },
  ): Promise<void> {
    const { store, start, signal } = this.#options;
    const { file, pipeline } = details;
    try {
      const begun = await start({ file, inputs: schedule.inputs, run });
      if (begun.run !== undefined) {
        store.schedules.began(details, at);
        return this.#tell(`${pipeline}: run ${run} began`);
      }
      // Another runner of the same id, started by one who was killed, was faster.
      if (store.row(run) !== undefined || store.isAlive(run)) return;
      this.#failed(details, { at, problem: begun.problem });
    } catch (thrown) {
      // Whoever looks after it next finds the run, or that there is none.
      if (signal.aborted) return;
      try {
        this.#failed(details, { at, problem: toGridError(thrown) });
      } catch (error) {
        this.#tell(`warning: ${toGridError(error).message}`);
      }
    }
  }

  #failed(
    details: ScheduleDetails,
    { at, problem }: { readonly at: number; readonly problem: GridError },
  ): void {
    const { store } = this.#options;
    const words = inOneLine(problem).slice(0, MOST_WORDS);
    store.schedules.failed(details, at, words);
    this.#tell(`${details.pipeline}: its run could not begin: ${words}`);
  }

  #tellOf({ details: { pipeline } }: Entry, { skip, missed, miss }: Decided): void {
    const times = (count: number) =>
      count === 1 ? "a time" : `${count} times${count < MOST_LOOKED_AT ? "" : " or more"}`;
    if (missed > 0) {
      const last = miss.at(-1);
      const when = last === undefined ? "" : `, the last at ${new Date(last).toISOString()}`;
      this.#tell(`${pipeline}: ${times(missed)} passed with nobody to start a run${when}`);
    }
    if (skip.length > 0) {
      this.#tell(`${pipeline}: ${times(skip.length)} skipped: the run before still goes on`);
    }
  }
}

/** What went wrong, where, and what to do. */
function inOneLine({ message, hint, place }: GridError): string {
  const at = place === undefined ? "" : `${place.file}:${place.line}:${place.column}: `;
  return oneLine(`${at}${message}${hint === undefined ? "" : `; ${hint}`}`);
}
