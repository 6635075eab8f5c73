/** What the metrics are made of, counted from events; plain numbers, quick for any number of runs. */
import type { Event, StepOutline } from "../engine/event.ts";

export interface Tally {
  readonly runs: Counts;
  /** Those that reports count: no matrix or template as such. */
  readonly steps: Counts;
  /** Hooks that were called for. */
  readonly hooks: Counts;
  /** By name of the pipeline; of those that ended. */
  readonly pipelines: Map<string, PipelineTally>;
  readonly tasks: Counts;
  readonly batchItems: Counts;
  /** Retries by code of the failure before. */
  readonly retries: Counts;
  readonly nodeScores: Map<string, number>;
  readonly taskSeconds: number[];
  readonly syncSeconds: number[];
  syncedFiles: number;
  syncedBytes: number;
  fetchedFiles: number;
  fetchedBytes: number;
  /** Attempts under way in the run that is counted now: by step and attempt, when they began. */
  readonly active: Map<string, number>;
  /** Attempts under way in runs before it. */
  activeElsewhere: number;
}

/** The last run of a pipeline that ended; seconds since the Unix epoch. */
export interface PipelineTally {
  readonly endedAt: number;
  readonly status: string;
  readonly seconds: number;
  /** When one last succeeded. */
  readonly succeededAt: number | undefined;
}

type Counts = Map<string, number>;

/** Events that change a tally. */
export const COUNTED_EVENTS = [
  "run.started",
  "run.finished",
  "step.finished",
  "attempt.started",
  "attempt.finished",
  "node.chosen",
  "sync.finished",
  "fetch.finished",
  "batch.progressed",
] as const satisfies readonly Event["type"][];

export function emptyTally(): Tally {
  return {
    runs: new Map(),
    steps: new Map(),
    hooks: new Map(),
    pipelines: new Map(),
    tasks: new Map(),
    batchItems: new Map(),
    retries: new Map(),
    nodeScores: new Map(),
    taskSeconds: [],
    syncSeconds: [],
    syncedFiles: 0,
    syncedBytes: 0,
    fetchedFiles: 0,
    fetchedBytes: 0,
    active: new Map(),
    activeElsewhere: 0,
  };
}

/** Counts events; those of one run come together and in order. */
export class Counter {
  readonly tally = emptyTally();
  readonly #batches = new Map<string, { done: number; failed: number }>();
  readonly #isAlive: (run: string) => boolean;
  #started: Extract<Event, { type: "run.started" }> | undefined;
  #outlines = new Map<string, StepOutline>();

  /** @param isAlive whether a process is at a run that has no end */
  constructor(isAlive: (run: string) => boolean) {
    this.#isAlive = isAlive;
  }

  /** Attempts under way in runs whose runner lives; one that was killed has none. */
  get activeTasks(): number {
    return this.tally.activeElsewhere + this.#activeHere();
  }

  #activeHere(): number {
    const { active } = this.tally;
    if (active.size === 0) return 0;
    return this.#started === undefined || this.#isAlive(this.#started.run) ? active.size : 0;
  }

  count(event: Event): void {
    const { tally } = this;
    switch (event.type) {
      case "run.finished":
        increase(tally.runs, event.state);
        this.#runFinished(event);
        tally.active.clear();
        this.#batches.clear();
        return;
      case "step.finished":
        return this.#stepFinished(event);
      case "attempt.started":
        tally.active.set(attemptKey(event), event.at);
        return;
      case "attempt.finished":
        return this.#attemptFinished(event);
      case "node.chosen":
        if (event.score !== undefined) tally.nodeScores.set(event.node, event.score);
        return;
      case "sync.finished":
        tally.syncSeconds.push(event.durationMs / 1000);
        tally.syncedFiles += event.sent;
        tally.syncedBytes += event.bytes;
        return;
      case "fetch.finished":
        tally.fetchedFiles += event.files.length;
        tally.fetchedBytes += event.bytes;
        return;
      case "batch.progressed":
        return this.#batchProgressed(event);
      case "run.started":
        tally.activeElsewhere += this.#activeHere();
        tally.active.clear();
        this.#batches.clear();
        this.#started = event;
        this.#outlines = new Map(event.steps.map((outline) => [outline.id, outline]));
        return;
      case "step.started":
      case "job.started":
      case "warned":
        return;
    }
  }

  #runFinished(event: Extract<Event, { type: "run.finished" }>): void {
    const started = this.#started;
    if (started === undefined) return;
    const { pipelines } = this.tally;
    const endedAt = event.at / 1000;
    // What did nothing, because another run was there, did not succeed.
    const status = event.skipped === undefined ? event.state : "skipped";
    pipelines.set(started.pipeline, {
      endedAt,
      status,
      seconds: (event.durationMs ?? Math.max(0, event.at - started.at)) / 1000,
      succeededAt: status === "succeeded" ? endedAt : pipelines.get(started.pipeline)?.succeededAt,
    });
  }

  /** As every other report counts. */
  #stepFinished(event: Extract<Event, { type: "step.finished" }>): void {
    const outline = this.#outlines.get(event.step);
    if (outline?.kind === "group" || event.uncalled) return;
    const { steps, hooks } = this.tally;
    increase(outline?.hook === undefined ? steps : hooks, event.state);
  }

  #attemptFinished(event: Extract<Event, { type: "attempt.finished" }>): void {
    const { tally } = this;
    const key = attemptKey(event);
    const startedAt = tally.active.get(key);
    tally.active.delete(key);
    increase(tally.tasks, event.result);
    // Journals of older Grids have only the dates.
    const ms = event.durationMs ??
      (startedAt === undefined ? undefined : Math.max(0, event.at - startedAt));
    if (ms !== undefined) tally.taskSeconds.push(ms / 1000);
    if (event.retryInMs !== undefined) increase(tally.retries, event.failure?.code ?? event.result);
  }

  /** Progress counts from the attempt's start; only what is new adds to the totals. */
  #batchProgressed(event: Extract<Event, { type: "batch.progressed" }>): void {
    const key = attemptKey(event);
    const before = this.#batches.get(key) ?? { done: 0, failed: 0 };
    this.#batches.set(key, { done: event.done, failed: event.failed });
    const failed = Math.max(0, event.failed - before.failed);
    const done = Math.max(0, event.done - before.done);
    increase(this.tally.batchItems, "failed", failed);
    increase(this.tally.batchItems, "succeeded", Math.max(0, done - failed));
  }
}

function attemptKey(event: { readonly step: string; readonly attempt: number }): string {
  return `${event.step}\n${event.attempt}`;
}

function increase(counts: Counts, name: string, by = 1): void {
  counts.set(name, (counts.get(name) ?? 0) + by);
}
