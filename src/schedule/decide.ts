/** Which runs begin now: one pure function of a schedule, what was decided before, and the time. */
import type { PastTimes } from "./cron.ts";
import type { Schedule } from "./schedule.ts";

/** So late a time still counts as met: whoever was to start it may just have been started itself. */
export const GRACE_MS = 60_000;
/** Of missed times that one decision looks at; of a run every minute these are three hours. */
export const MOST_LOOKED_AT = 200;
/** Runs that begin one after another, or wait, for `catch-up: all` and `overlap: queue`. */
export const MOST_QUEUED = 24;
/** Missed times that are kept one by one; all are counted. */
const MOST_TOLD = 20;

/** All times in milliseconds since the Unix epoch. */
export interface Known {
  /** Of all times up to here it is decided what became of them. */
  readonly decidedTo: number;
  /** Runs of this schedule that go on, or are being started. */
  readonly running: number;
  /** Times whose runs wait until the others have ended. */
  readonly queued: readonly number[];
  /** Times whose run somebody was about to start who is gone, and who did not start it. */
  readonly abandoned: readonly number[];
  /** By a person, besides what the file says. */
  readonly isPaused: boolean;
}

export interface Decision {
  readonly decidedTo: number;
  /** Their runs begin now. */
  readonly start: readonly number[];
  readonly queue: readonly number[];
  /** A run was in the way, or the schedule is switched off. */
  readonly skip: readonly number[];
  /** Nobody was there; the newest of them. */
  readonly miss: readonly number[];
  /** How many there were, at least. */
  readonly missed: number;
  /** The runs that go on make room. */
  readonly cancel: boolean;
}

export interface Times {
  between(after: number, until: number, most: number): PastTimes;
}

export interface DecideOptions {
  readonly times: Times;
  readonly now: number;
}

/**
 * Each time ends in exactly one of start, skip and miss, whoever asks how often: what waits is known
 * at the next decision.
 */
export function decide(
  schedule: Schedule,
  known: Known,
  { times, now }: DecideOptions,
): Decision {
  // Of a clock that was set back, what it showed before means nothing.
  const from = Math.min(known.decidedTo, now);
  const waiting = [...known.abandoned, ...known.queued].toSorted((a, b) => a - b);
  if (!schedule.isEnabled || known.isPaused) {
    return { ...NOTHING, decidedTo: now, skip: waiting };
  }
  const due = times.between(from, now, MOST_LOOKED_AT);
  const timely = due.times.filter((at) => isTimely(at, schedule, now));
  const chosen = chooseDue(timely, schedule, now);
  const kept = waiting.filter((at) =>
    known.queued.includes(at) ? isTimely(at, schedule, now) : isWanted(at, schedule, now)
  );
  const late = [...waiting, ...due.times].filter((at) =>
    !kept.includes(at) && !chosen.includes(at)
  );
  return {
    ...place([...kept, ...chosen], { schedule, running: known.running, first: chosen }),
    decidedTo: now,
    miss: late.slice(-MOST_TOLD),
    missed: late.length + (due.isMore ? 1 : 0),
  };
}

const NOTHING = { start: [], queue: [], skip: [], miss: [], missed: 0, cancel: false };

/** Not later than the schedule allows. */
function isTimely(at: number, { startWithinMs }: Schedule, now: number): boolean {
  return startWithinMs === undefined || now - at <= Math.max(startWithinMs, GRACE_MS);
}

/** Met just now, or one to catch up with. */
function isWanted(at: number, schedule: Schedule, now: number): boolean {
  return now - at <= GRACE_MS || (schedule.catchUp !== "none" && isTimely(at, schedule, now));
}

/** Of the times that have come since the last decision those that are met. */
function chooseDue(timely: readonly number[], schedule: Schedule, now: number): readonly number[] {
  const wanted = timely.filter((at) => isWanted(at, schedule, now));
  return wanted.slice(schedule.catchUp === "all" ? -MOST_QUEUED : -1);
}

interface PlaceOptions {
  readonly schedule: Schedule;
  readonly running: number;
  /** Those that were not known before. */
  readonly first: readonly number[];
}

/** What waited comes first; what follows finds those in the way that were put before it. */
function place(
  times: readonly number[],
  { schedule: { overlap }, running, first }: PlaceOptions,
): Pick<Decision, "start" | "queue" | "skip" | "cancel"> {
  if (overlap === "parallel") return { start: times, queue: [], skip: [], cancel: false };
  const isFree = running === 0;
  switch (overlap) {
    case "skip": {
      // One that waited was to start already.
      const start = isFree ? times.slice(0, 1) : [];
      return { start, queue: [], skip: times.slice(start.length), cancel: false };
    }
    case "queue": {
      const start = isFree ? times.slice(0, 1) : [];
      const rest = times.slice(start.length);
      return {
        start,
        queue: rest.slice(0, MOST_QUEUED),
        skip: rest.slice(MOST_QUEUED),
        cancel: false,
      };
    }
    case "cancel-oldest": {
      const newest = times.slice(-1);
      return {
        start: isFree ? newest : [],
        queue: isFree ? [] : newest,
        skip: times.slice(0, -1),
        cancel: !isFree && first.length > 0,
      };
    }
  }
}
