/** Where `grid fetch` takes files from: nodes that are named, or where a run's steps worked. */
import { nearest } from "../core/did_you_mean.ts";
import { GridError } from "../core/errors.ts";
import { replay, type RunState, type StepState } from "../engine/reduce.ts";
import type { FetchSource } from "../pipeline/task_pipeline.ts";
import type { Store } from "../store/store.ts";

export interface FetchWish {
  readonly nodes: readonly string[] | undefined;
  /** On the node: relative to its workspace, absolute, or below `~`. */
  readonly folder: string | undefined;
  /** A run's id, the beginning of one, or `last`. */
  readonly run: string | undefined;
  readonly step: string | undefined;
}

/** How far back the last run with such a step may lie. */
const MOST_RUNS = 200;
/** A result may have been reused from a run that reused it. */
const MOST_REUSES = 50;

/** One for each place. @throws {GridError} `usage` where that says nothing, or too much */
export function fetchSources(wish: FetchWish, store: Store): FetchSource[] {
  const { nodes, folder, run, step } = wish;
  if (nodes !== undefined) {
    if (run === undefined && step === undefined) {
      return [...new Set(nodes)].map((node) => ({ name: node, node, folder }));
    }
    throw unclear("--node says where from, and so do --run and --step", "leave one of them out");
  }
  const state = stateOf(store, run === undefined || run === "last" ? lastWith(store, step) : run);
  const wanted = stepsOf(state, step);
  const places = new Map<string, FetchSource>();
  for (const each of wanted) {
    const worked = placeOf(each, state, store);
    if (worked === undefined) continue;
    const place = { name: each.id, node: worked.node, folder: folder ?? worked.folder };
    const key = JSON.stringify([place.node, place.folder]);
    if (!places.has(key)) places.set(key, place);
  }
  const found = [...places.values()];
  if (found.length === 0) {
    const other = lastWorked(store, step);
    throw unclear(
      step === undefined
        ? `no step of run ${state.run} worked on a node`
        : `"${step}" worked on no node in run ${state.run}`,
      other === undefined ? `grid show ${state.run}` : `in run ${other} it did: --run ${other}`,
    );
  }
  if (step === undefined && found.length > 1) {
    throw unclear(
      `the steps of run ${state.run} worked in ${found.length} places`,
      `name one: --step ${found.map(({ name }) => name).slice(0, 5).join(", or --step ")}`,
    );
  }
  return found;
}

/**
 * One step of a run where it did its work: in this run, or in the one that its result comes from.
 *
 * @throws {GridError} `usage` where there is none, or where several are called so
 */
export function runWith(
  store: Store,
  { run, step: id }: { readonly run: string; readonly step: string },
): { readonly state: RunState; readonly step: StepState } {
  const state = stateOf(store, run === "last" ? lastWith(store, id) : run);
  const steps = stepsOf(state, id);
  const [step, second] = steps;
  if (step === undefined || second !== undefined) {
    const names = steps.slice(0, 5).map((one) => one.id).join(", ");
    throw unclear(`${steps.length} steps are "${id}"`, names ? `name one: ${names}` : "grid show");
  }
  const { step: worked = step, state: where } = workedIn(step, state, store);
  return { state: where, step: worked };
}

function stateOf(store: Store, name: string): RunState {
  const run = store.resolveRun(name);
  const state = replay(store.events(run));
  if (state) return state;
  throw unclear(`the journal of run ${run} is empty`, "grid runs");
}

/** What `grid fetch` and `grid sync` did last is not meant. */
function lastWith(store: Store, step: string | undefined): string {
  const worked = lastWorked(store, step);
  if (worked !== undefined) return worked;
  throw unclear(
    step === undefined ? "no run has worked on a node yet" : `no run has a step "${step}"`,
    "say where from: --node NAME",
  );
}

/** The newest run that has such a step, and did not leave it out. */
function lastWorked(store: Store, step: string | undefined): string | undefined {
  for (const { run } of store.runs({ limit: MOST_RUNS })) {
    const [started] = store.events(run);
    if (started?.type !== "run.started") continue;
    const has = started.steps.some(({ id, kind }) =>
      step === undefined ? isWork(kind) : id === step && kind !== "fetch" && kind !== "sync"
    );
    const state = has ? replay(store.events(run)) : undefined;
    if (state && stepsOf(state, step).some((it) => placeOf(it, state, store) !== undefined)) {
      return run;
    }
  }
  return undefined;
}

function isWork(kind: string): boolean {
  return kind === "run" || kind === "ray-batch";
}

/** The step; of a matrix or a template all within it. */
function stepsOf(state: RunState, name: string | undefined): readonly StepState[] {
  const all = [...state.steps.values()].filter(({ kind }) => isWork(kind));
  if (name === undefined) return all;
  if (!state.steps.has(name)) {
    const near = nearest(name, state.steps.keys());
    throw unclear(
      `run ${state.run} has no step "${name}"`,
      near ? `did you mean "${near}"?` : `its steps: ${[...state.steps.keys()].join(", ")}`,
    );
  }
  const isWithin = (step: StepState | undefined): boolean =>
    step !== undefined &&
    (step.id === name || (step.group !== undefined && isWithin(state.steps.get(step.group))));
  return all.filter(isWithin);
}

interface WorkPlace {
  readonly node: string;
  readonly folder: string | undefined;
}

/** Where it worked, in this run or in the one that its result comes from. */
function placeOf(step: StepState, state: RunState, store: Store): WorkPlace | undefined {
  const at = workedIn(step, state, store);
  const attempt = at.step?.attempts.findLast(({ node }) => node !== undefined);
  const node = attempt?.node ?? step.node;
  if (node === undefined) return undefined;
  // Older journals do not say in which folder.
  const synced = [...at.state.steps.values()].flatMap(({ attempts }) => attempts)
    .flatMap(({ syncs }) => syncs).filter((sync) => sync.node === node);
  return { node, folder: attempt?.folder ?? synced.at(-1)?.folder };
}

interface Work {
  readonly step: StepState | undefined;
  readonly state: RunState;
}

function workedIn(step: StepState, state: RunState, store: Store): Work {
  let at: Work = { step, state };
  for (let hops = 0; at.step?.reusedFrom !== undefined && hops < MOST_REUSES; hops++) {
    const earlier = replay(store.events(at.step.reusedFrom.run));
    if (earlier === undefined) break;
    at = { step: earlier.steps.get(step.id), state: earlier };
  }
  return at;
}

function unclear(why: string, hint: string): GridError {
  return new GridError({ code: "usage", message: `Cannot tell where a step worked: ${why}`, hint });
}
