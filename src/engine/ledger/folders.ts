/** What was synced, as seen from one step: the folder on each node, and what each sync brought. */
import { setOwn } from "../../core/own.ts";
import { digestOf } from "../../core/digest.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import { dataVariable } from "../../pipeline/step_kinds.ts";
import type { Event, SyncedTree } from "../event.ts";
import type { DataPaths } from "../data_paths.ts";

type Finished = Extract<Event, { type: "sync.finished" | "data.finished" }>;

interface Synced {
  readonly event: Finished;
  /** Position in the run: the later sync wins. */
  readonly order: number;
}

/** By step and node. */
type Syncs = ReadonlyMap<string, Synced>;

interface View {
  /** Node → absolute folder. */
  readonly folders: Readonly<Record<string, string>>;
  /** Node → what proves that the folder holds what was brought. */
  readonly trees: Readonly<Record<string, SyncedTree>>;
  /** Step of the sync → digest of what it brought. */
  readonly brought: Readonly<Record<string, string>>;
  /** Of data sets: variable → node → path. */
  readonly data: DataPaths;
}

const NONE: Syncs = new Map();
const NOTHING: View = { folders: {}, trees: {}, brought: {}, data: {} };

/**
 * Follows `needs` and `after`: a step sees the syncs of the steps before it, and of no others.
 * Steps that add nothing share the map of the step before them.
 */
export class Folders {
  readonly #steps: ReadonlyMap<string, Step>;
  /** Seen by the steps after the key. */
  readonly #behind = new Map<string, Syncs>();
  readonly #own = new Map<string, Map<string, Synced>>();
  readonly #views = new WeakMap<Syncs, View>();
  #order = 0;

  constructor(steps: readonly Step[]) {
    this.#steps = new Map(steps.map((step) => [step.id, step]));
  }

  /** Takes note of what a step brought. */
  add(event: Finished): void {
    const own = this.#own.get(event.step) ?? new Map<string, Synced>();
    own.set(`${event.step}\0${event.node}`, { event, order: ++this.#order });
    this.#own.set(event.step, own);
  }

  /** Node → absolute folder, for a step whose predecessors have ended. */
  before(step: Step): View["folders"] {
    return this.#view(step).folders;
  }

  /** Node → proof of what that folder holds. */
  treesBefore(step: Step): View["trees"] {
    return this.#view(step).trees;
  }

  /** Step of a sync → digest of what it brought, whichever nodes it went to. */
  broughtBefore(step: Step): View["brought"] {
    return this.#view(step).brought;
  }

  /** Data sets that were brought: variable → node → path. */
  dataBefore(step: Step): DataPaths {
    return this.#view(step).data;
  }

  /** The step has ended: what it saw and what it synced is what its successors see. */
  end(step: Step): void {
    const own = this.#own.get(step.id) ?? NONE;
    const members = step.action.kind === "group" ? step.action.members : [];
    const behind = members.map((id) => this.#behind.get(id) ?? NONE);
    this.#behind.set(step.id, merge([this.#before(step), ...behind, own]));
  }

  #view(step: Step): View {
    if (this.#own.size === 0) return NOTHING;
    const syncs = this.#before(step);
    if (syncs.size === 0) return NOTHING;
    const known = this.#views.get(syncs) ?? viewOf(syncs);
    this.#views.set(syncs, known);
    return known;
  }

  #before(step: Step): Syncs {
    const group = step.group === undefined ? undefined : this.#steps.get(step.group);
    const before = [...step.needs, ...step.after].map((id) => this.#behind.get(id) ?? NONE);
    return merge(group ? [this.#before(group), ...before] : before);
  }
}

function merge(maps: readonly Syncs[]): Syncs {
  const distinct = [...new Set(maps.filter((map) => map.size > 0))];
  const [first = NONE, ...others] = distinct;
  return others.length === 0 ? first : new Map(distinct.flatMap((map) => [...map]));
}

function viewOf(syncs: Syncs): View {
  const folders: Record<string, string> = {};
  const trees: Record<string, SyncedTree> = {};
  const digests = new Map<string, Set<string>>();
  const inOrder = [...syncs.values()].toSorted((a, b) => a.order - b.order);
  for (const { event } of inOrder) {
    if (event.digest !== undefined) {
      digests.set(event.step, (digests.get(event.step) ?? new Set()).add(event.digest));
    }
    if (event.type === "data.finished") continue;
    setOwn(folders, event.node, event.folder);
    if (event.tree) setOwn(trees, event.node, event.tree);
    else delete trees[event.node];
  }
  const brought = [...digests].map(([step, each]) => [step, together(each)]);
  return { folders, trees, brought: Object.fromEntries(brought), data: dataOf(inOrder) };
}

/** Of two sets with one name, such as those of two cells, no step could tell which is meant. */
function dataOf(synced: readonly Synced[]): DataPaths {
  const sets = synced.flatMap(({ event }) => event.type === "data.finished" ? [event] : []);
  const byVariable = Map.groupBy(sets, ({ name }) => dataVariable(name));
  const one = [...byVariable].filter(([, same]) => new Set(same.map((it) => it.step)).size === 1);
  return Object.fromEntries(one.map(([variable, same]) => {
    const paths: Record<string, string> = {};
    for (const { node, path } of same) setOwn(paths, node, path);
    return [variable, paths];
  }));
}

/** Mostly all nodes hold the same; then it does not matter how many there are. */
function together(digests: ReadonlySet<string>): string {
  const [first = "", ...others] = [...digests].toSorted();
  const digest = others.length === 0 ? first : digestOf([first, ...others].join());
  return digest.slice(0, 32);
}
