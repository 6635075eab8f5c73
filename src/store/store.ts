/** One SQLite file with everything that outlives a process. */
import type { Event } from "../engine/event.ts";
import type { ResultCache, RunRegistry } from "../engine/ports.ts";
import type { NodeRunners } from "./node_runners.ts";
import type { Settled } from "./near_end.ts";
import type { Schedules } from "./schedules.ts";
import type { CountedEvent, Tallies } from "./tallies.ts";

export interface RunRow {
  readonly run: string;
  readonly pipeline: string;
  readonly file: string;
  readonly startedAt: number;
  readonly finishedAt: number | undefined;
  /** Measured; of a run that is over. */
  readonly durationMs?: number;
  readonly result: string;
  readonly exitCode: number | undefined;
  /** The last thing that is known of a run without an end. */
  readonly lastEventAt?: number;
  /** The run that this one went on from. */
  readonly resumes?: string;
  /** The run that went on from this one. */
  readonly resumedAs?: string;
  /** What a person wrote on it. */
  readonly note?: string;
}

/** Structurally the engine's `Journal` and the cluster's `HealthCache` too. */
export interface Store extends RunRegistry, ResultCache, Settled, Disposable {
  append(run: string, events: readonly Event[]): void;
  /** Newest first. */
  runs(options?: { readonly limit?: number }): readonly RunRow[];
  /** Newest first, each read when it is wanted: whoever stops early has not read the others. */
  eachRun(): Iterable<RunRow>;
  /**
   * In the order they were appended. Accepts a unique prefix of a run id, or `last`.
   *
   * @throws {GridError} `usage` naming the run, where one of its events cannot be read
   */
  events(run: string): readonly Event[];
  /**
   * Those behind the event of this number, of a run named by its full id.
   *
   * @throws {GridError} `usage` naming the run, where one of them cannot be read
   */
  eventsSince(run: string, seq: number): readonly CountedEvent[];
  /** The run of exactly this id; undefined where there is none. */
  row(run: string): RunRow | undefined;
  /**
   * For a process that stays: an open file is read on even where it is nobody's any more.
   *
   * @throws {GridError} `usage` where others find another file in its place, or none
   */
  checkPlace(): void;
  /** Another number once another process has written; says nothing of what this one writes. */
  dataVersion(): number;
  /** Another text once a run was added, noted on or ended. */
  listVersion(): string;
  /**
   * Full id of a run that is named by its id, a unique beginning of it, the name or file of a pipeline (its
   * newest run) or `last`; behind the latter two, `@2` means the one before, `@3` the one before that.
   *
   * @throws {GridError} `usage`
   */
  resolveRun(name: string): string;
  /** The run that last went on from this one, or from one that did; itself where none has. */
  latestOf(run: string): string;
  /** Keeps what a person says of the run named by its full id; an empty text takes it away. */
  setNote(run: string, note: string): void;
  /** Totals over all runs that nobody has to count again. */
  readonly tallies: Tallies;
  /** What became of the times at which pipelines were to begin by themselves. */
  readonly schedules: Schedules;
  /** For who was started because this machine was restarted: the run's runner ended with it. */
  forgetEarlierBoot(run: string): void;
  /** Runs whose runner lives on a node. */
  readonly nodeRunners: NodeRunners;
  /**
   * Journals what another journal holds behind event `seq`, each as it was written there; what is here
   * already is passed over, so that two may bring the same.
   *
   * @throws {GridError} `bug` where events between those here and these are missing
   */
  copy(run: string, events: readonly CopiedEvent[]): void;
  load(
    keys: readonly string[],
  ): ReadonlyMap<string, { readonly at: number; readonly json: string }>;
  save(rows: ReadonlyMap<string, { readonly at: number; readonly json: string }>): void;
  /**
   * Drops looks at nodes and results to use again that are older, and gives the disk back what the file
   * needs no more. Journals of runs stay.
   */
  tidy(before: number): Tidied;
}

export interface CopiedEvent {
  /** In its run; the first is 1. */
  readonly seq: number;
  readonly event: Event;
}

export interface Tidied {
  /** Dropped. */
  readonly rows: number;
  /** Of the file now. */
  readonly bytes: number;
  readonly freed: number;
}
