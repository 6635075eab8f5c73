/** States of runs, each event of their journals read once. */
import { reduce, replay, type RunState } from "../engine/reduce.ts";
import { GridError } from "../core/errors.ts";
import type { Store } from "../store/store.ts";

export interface FoldedRun {
  readonly state: RunState;
  /** Some process is at it. */
  readonly isUnderWay: boolean;
  /** Its runner died; when it was last heard of, in milliseconds since the Unix epoch. */
  readonly stoppedAt: number | undefined;
  readonly resumedAs: string | undefined;
  readonly note: string | undefined;
}

interface Fold {
  state: RunState;
  seq: number;
  lastAt: number;
}

/** Runs that are kept at hand. */
const MOST_FOLDS = 32;

export class RunFolds {
  readonly #store: Store;
  readonly #folds = new Map<string, Fold>();

  constructor(store: Store) {
    this.#store = store;
  }

  /**
   * @param run the full id
   * @throws {GridError} `usage` where there is no such run, or its journal cannot be read
   */
  of(run: string): FoldedRun {
    const row = this.#store.row(run);
    if (row === undefined) throw noRun(run);
    const { state, lastAt } = this.#advance(run);
    const isOpen = state.result === "running";
    const isUnderWay = isOpen && this.#store.isAlive(run);
    return {
      state,
      isUnderWay,
      stoppedAt: isOpen && !isUnderWay ? lastAt : undefined,
      resumedAs: row.resumedAs,
      note: row.note,
    };
  }

  #advance(run: string): Fold {
    const known = this.#folds.get(run);
    const events = this.#store.eventsSince(run, known?.seq ?? 0);
    const last = events.at(-1);
    if (last === undefined) {
      if (known === undefined) throw noRun(run);
      return known;
    }
    const state = known === undefined
      ? replay(events.map(({ event }) => event))
      : events.reduce((state, { event }) => reduce(state, event), known.state);
    if (state === undefined) throw noRun(run);
    const fold = { state, seq: last.seq, lastAt: last.event.at };
    this.#folds.delete(run);
    this.#folds.set(run, fold);
    const [oldest] = this.#folds.keys();
    if (this.#folds.size > MOST_FOLDS && oldest !== undefined) this.#folds.delete(oldest);
    return fold;
  }
}

export function noRun(run: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot find run "${run}": there is none`,
    hint: "all there are: grid runs",
  });
}
