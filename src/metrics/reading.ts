/** All that metrics are made from, at one moment. */
import type { Tally } from "./tally.ts";

/** What the runs did. */
export interface Work {
  readonly tally: Tally;
  /** Attempts under way. */
  readonly activeTasks: number;
  /** By pipeline; runs under way, and the milliseconds since the Unix epoch when the first began. */
  readonly activeRuns?: ReadonlyMap<string, { readonly runs: number; readonly startedAt: number }>;
}

export interface Reading extends Work {
  /** Milliseconds since the Unix epoch; without it nothing is said that goes by the time. */
  readonly now?: number;
  /** How the nodes are; without it, as they were when they were chosen. */
  readonly nodes?: readonly NodeReading[];
  /** Times at which runs begin by themselves. */
  readonly schedules?: readonly ScheduleReading[];
  /** Seconds within which a pipeline shall succeed again, by its name. */
  readonly expected?: ReadonlyMap<string, number>;
  /** On every series. */
  readonly labels?: Readonly<Record<string, string>>;
}

export interface ScheduleReading {
  readonly pipeline: string;
  readonly schedule: string;
  readonly counts: Readonly<Record<"started" | "missed" | "skipped" | "failed", number>>;
  /** Milliseconds since the Unix epoch; undefined where it is switched off, or no time comes. */
  readonly dueAt: number | undefined;
}

/** The last look at one node. */
export interface NodeReading {
  readonly node: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  /** `unusable` nodes answer. */
  readonly status: "ok" | "unusable" | "unreachable";
  /** Somebody wants no work there; undefined where the node did not say. */
  readonly isDrained?: boolean | undefined;
  /** As measured; undefined where not `ok`. */
  readonly score: number | undefined;
  /** Load of the last minute per usable core. */
  readonly loadPerCore: number | undefined;
  /** Undefined where the node did not say. */
  readonly gpus: { readonly leased: number; readonly free: number } | undefined;
}
