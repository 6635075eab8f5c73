/** Counts the events of one run; may stop anywhere and go on in another process. */
import type { Event } from "../engine/event.ts";
import { observe, SYNC_BOUNDS, TASK_BOUNDS } from "./histogram.ts";
import { countStep, countSync } from "./recent.ts";
import {
  asEntries,
  type Counts,
  countsOf,
  emptyTally,
  increase,
  type PlainTally,
  type Tally,
  tallyOf,
} from "./tally.ts";

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
  "data.finished",
  "batch.progressed",
] as const satisfies readonly Event["type"][];

interface Begun {
  readonly pipeline: string;
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  /** A matrix or a template counts as its members. */
  readonly groups: readonly string[];
  readonly hooks: readonly string[];
}

type Progress = { readonly done: number; readonly failed: number };

/** What a counter is made of, as JSON keeps it. */
interface PlainCounter {
  readonly tally: PlainTally;
  readonly begun?: Begun;
  readonly active: [string, number][];
  readonly batches: [string, Progress][];
  readonly lastAt: number;
  readonly isOver: boolean;
}

export class RunCounter {
  readonly tally: Tally;
  #begun: Begun | undefined;
  #hooks: ReadonlySet<string> = new Set();
  #groups: ReadonlySet<string> = new Set();
  /** Attempts under way, and when each began. */
  readonly #active: Map<string, number>;
  readonly #batches: Map<string, Progress>;
  #lastAt = 0;
  #isOver = false;

  constructor(plain?: PlainCounter) {
    this.tally = plain ? tallyOf(plain.tally) : emptyTally();
    this.#active = new Map(plain?.active);
    this.#batches = new Map(plain?.batches);
    this.#lastAt = plain?.lastAt ?? 0;
    this.#isOver = plain?.isOver ?? false;
    if (plain?.begun) this.#begin(plain.begun);
  }

  /** @throws {SyntaxError} for text that is no JSON */
  static from(json: string): RunCounter {
    return new RunCounter(JSON.parse(json) as PlainCounter);
  }

  json(): string {
    const plain = {
      tally: this.tally,
      begun: this.#begun,
      active: this.#active,
      batches: this.#batches,
      lastAt: this.#lastAt,
      isOver: this.#isOver,
    };
    return JSON.stringify(plain, asEntries);
  }

  /** Attempts under way. */
  get active(): number {
    return this.#active.size;
  }

  get pipeline(): string | undefined {
    return this.#begun?.pipeline;
  }

  /** Of the run; milliseconds since the Unix epoch. */
  get startedAt(): number {
    return this.#begun?.at ?? 0;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** What became of a run that has no end, because its runner died. */
  stopped(): Tally {
    const tally = emptyTally();
    if (this.#begun === undefined || this.#isOver) return tally;
    const { pipeline, at } = this.#begun;
    tally.pipelines.set(pipeline, {
      endedAt: this.#lastAt / 1000,
      status: "stopped",
      seconds: Math.max(0, this.#lastAt - at) / 1000,
    });
    return tally;
  }

  count(event: Event): void {
    const { tally } = this;
    this.#lastAt = Math.max(this.#lastAt, event.at);
    switch (event.type) {
      case "run.started":
        return this.#begin({
          pipeline: event.pipeline,
          at: event.at,
          groups: event.steps.filter(({ kind }) => kind === "group").map(({ id }) => id),
          hooks: event.steps.filter(({ hook }) => hook !== undefined).map(({ id }) => id),
        });
      case "run.finished":
        this.#isOver = true;
        this.#active.clear();
        this.#batches.clear();
        return this.#runFinished(event);
      case "step.finished":
        return this.#stepFinished(event);
      case "attempt.started":
        this.#active.set(attemptKey(event), event.at);
        return;
      case "attempt.finished":
        return this.#attemptFinished(event);
      case "node.chosen":
        if (event.score !== undefined) tally.nodeScores.set(event.node, event.score);
        return;
      case "sync.finished": {
        const seconds = event.durationMs / 1000;
        observe(tally.syncSeconds, { value: seconds, bounds: SYNC_BOUNDS });
        countSync(tally.recent, { at: event.at, node: event.node, seconds });
        increase(tally.transfers, "syncedFiles", event.sent);
        increase(tally.transfers, "syncedBytes", event.bytes);
        return;
      }
      case "fetch.finished":
        increase(tally.transfers, "fetchedFiles", event.files.length);
        increase(tally.transfers, "fetchedBytes", event.bytes);
        return;
      case "data.finished":
        increase(tally.transfers, "syncedBytes", event.sent);
        return;
      case "batch.progressed":
        return this.#batchProgressed(event);
      case "step.started":
      case "job.started":
      case "warned":
        return;
    }
  }

  #begin(begun: Begun): void {
    this.#begun = begun;
    this.#groups = new Set(begun.groups);
    this.#hooks = new Set(begun.hooks);
  }

  #runFinished(event: Extract<Event, { type: "run.finished" }>): void {
    const begun = this.#begun;
    // What did nothing, because another run was there, did not succeed.
    const status = event.skipped === undefined ? event.state : "skipped";
    const pipeline = begun?.pipeline ?? "";
    increase(countsOf(this.tally.runs, pipeline), status);
    if (begun === undefined) return;
    const seconds = (event.durationMs ?? Math.max(0, event.at - begun.at)) / 1000;
    const endedAt = event.at / 1000;
    const fine = status === "succeeded";
    this.tally.pipelines.set(pipeline, {
      endedAt,
      status,
      seconds,
      ...(fine && { succeededAt: endedAt, usual: [seconds] }),
    });
  }

  /** As every other report counts. */
  #stepFinished(event: Extract<Event, { type: "step.finished" }>): void {
    if (this.#groups.has(event.step) || event.uncalled) return;
    const { steps, hooks, recent } = this.tally;
    if (this.#hooks.has(event.step)) return increase(hooks, event.state);
    increase(steps, event.state);
    countStep(recent, { at: event.at, state: event.state });
  }

  #attemptFinished(event: Extract<Event, { type: "attempt.finished" }>): void {
    const { tally } = this;
    const key = attemptKey(event);
    const startedAt = this.#active.get(key);
    this.#active.delete(key);
    increase(tally.tasks, event.result);
    // Journals of older Grids have only the dates.
    const ms = event.durationMs ??
      (startedAt === undefined ? undefined : Math.max(0, event.at - startedAt));
    if (ms !== undefined) observe(tally.taskSeconds, { value: ms / 1000, bounds: TASK_BOUNDS });
    if (event.retryInMs !== undefined) increase(tally.retries, event.failure?.code ?? event.result);
  }

  /** Progress counts from the attempt's start; only what is new adds to the totals. */
  #batchProgressed(event: Extract<Event, { type: "batch.progressed" }>): void {
    const key = attemptKey(event);
    const before = this.#batches.get(key) ?? { done: 0, failed: 0 };
    this.#batches.set(key, { done: event.done, failed: event.failed });
    const failed = Math.max(0, event.failed - before.failed);
    const done = Math.max(0, event.done - before.done);
    const items: Counts = this.tally.batchItems;
    increase(items, "failed", failed);
    increase(items, "succeeded", Math.max(0, done - failed));
  }
}

function attemptKey(event: { readonly step: string; readonly attempt: number }): string {
  return `${event.step}\n${event.attempt}`;
}
