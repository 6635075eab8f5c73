/** Which folder was synced last to each node, as seen from one step. */
import type { Step } from "../../pipeline/pipeline.ts";
import type { Event } from "../event.ts";

interface Synced {
  readonly folder: string;
  /** Position in the run: the later sync wins. */
  readonly order: number;
}

type FoldersByNode = ReadonlyMap<string, Synced>;

const NONE: FoldersByNode = new Map();

/**
 * Follows `needs` and `after`: a step sees the syncs of the steps before it, and of no others.
 * Steps that add nothing share the map of the step before them.
 */
export class Folders {
  readonly #steps: ReadonlyMap<string, Step>;
  /** Seen by the steps after the key. */
  readonly #behind = new Map<string, FoldersByNode>();
  readonly #own = new Map<string, Map<string, Synced>>();
  #order = 0;

  constructor(steps: readonly Step[]) {
    this.#steps = new Map(steps.map((step) => [step.id, step]));
  }

  /** Takes note of what a step synced. */
  add(event: Extract<Event, { type: "sync.finished" }>): void {
    const own = this.#own.get(event.step) ?? new Map<string, Synced>();
    own.set(event.node, { folder: event.folder, order: ++this.#order });
    this.#own.set(event.step, own);
  }

  /** Node → absolute folder, for a step whose predecessors have ended. */
  before(step: Step): Readonly<Record<string, string>> {
    const folders = [...this.#before(step)].map(([node, { folder }]) => [node, folder]);
    return Object.fromEntries(folders);
  }

  /** The step has ended: what it saw and what it synced is what its successors see. */
  end(step: Step): void {
    const own = this.#own.get(step.id) ?? NONE;
    const members = step.action.kind === "group" ? step.action.members : [];
    const behind = members.map((id) => this.#behind.get(id) ?? NONE);
    this.#behind.set(step.id, merge([this.#before(step), ...behind, own]));
  }

  #before(step: Step): FoldersByNode {
    const group = step.group === undefined ? undefined : this.#steps.get(step.group);
    const before = [...step.needs, ...step.after].map((id) => this.#behind.get(id) ?? NONE);
    return merge(group ? [this.#before(group), ...before] : before);
  }
}

function merge(maps: readonly FoldersByNode[]): FoldersByNode {
  const distinct = [...new Set(maps.filter((map) => map.size > 0))];
  const [first = NONE, ...others] = distinct;
  if (others.length === 0) return first;
  const merged = new Map(first);
  for (const [node, synced] of others.flatMap((map) => [...map])) {
    if (synced.order > (merged.get(node)?.order ?? 0)) merged.set(node, synced);
  }
  return merged;
}
