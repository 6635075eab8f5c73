/** What the metrics are made of, counted from events; plain numbers, quick for any number of runs. */
import type { Event } from "../engine/event.ts";

export interface Tally {
  readonly runs: Counts;
  readonly steps: Counts;
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
  /** Attempts under way: run, step and attempt. */
  readonly active: Map<string, number>;
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
  };
}

/** Counts events; those of one run come together and in order. */
export class Counter {
  readonly tally = emptyTally();
  readonly #batches = new Map<string, { done: number; failed: number }>();

  count(event: Event): void {
    const { tally } = this;
    switch (event.type) {
      case "run.finished":
        increase(tally.runs, event.state);
        tally.active.clear();
        this.#batches.clear();
        return;
      case "step.finished":
        increase(tally.steps, event.state);
        return;
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
        // A run whose runner died left no ends; what it had under way is over.
        tally.active.clear();
        this.#batches.clear();
        return;
      case "step.started":
      case "job.started":
      case "warned":
        return;
    }
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
