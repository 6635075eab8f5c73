import { decodeText } from "./yaml/encoding.ts";
import { scalarOffsets } from "./scalar.ts";
import type { Diagnostic } from "./diagnostic.ts";
import { Lines, type Spot } from "./lines.ts";
import type { Repair } from "./yaml/repair.ts";
import { parseText } from "./yaml/parse.ts";
import type { ScalarSource } from "./yaml/yaml_node.ts";
import type { Entry, Tree } from "./tree.ts";

export type Key = string | number;
/** A map or a list of the file. */
export type Container = object;

/**
 * A YAML file as plain values, each of which still knows where it stands.
 * Places are found by the identity of the map or list that holds them, so values read from here must
 * not be copied before the last question about their place.
 */
export class Source {
  /** Plain objects, arrays and scalars; aliases share one value, merge keys are resolved. */
  readonly value: unknown;
  /** Mistakes in the YAML itself; `value` holds what could be read nevertheless. */
  readonly diagnostics: readonly Diagnostic[];
  /** Whether the YAML was sound enough for questions about its meaning. */
  readonly isReadable: boolean;
  readonly #lines: Lines;
  readonly #tree: Tree;
  readonly #repairs: readonly Repair[];
  /** The scalar that was asked for last, whose other expressions come next. */
  #measured:
    | { readonly scalar: ScalarSource; readonly offsetOf: (index: number) => number }
    | undefined;
  readonly #removed = new Map<Container, ReadonlySet<Key>>();

  constructor(content: string | Uint8Array, file: string) {
    const { text, faults } = decodeText(content);
    this.#lines = new Lines(file, text);
    const parsed = parseText(this.#lines, faults);
    this.#tree = parsed.tree;
    this.#repairs = parsed.repairs;
    this.value = parsed.tree.value;
    this.isReadable = parsed.isReadable;
    this.diagnostics = parsed.diagnostics;
  }

  get file(): string {
    return this.#lines.file;
  }

  /** Whether the text of the file, comments and all, matches. */
  matches(pattern: RegExp): boolean {
    return pattern.test(this.#lines.text);
  }

  /** The first character of the file, for what is missing altogether. */
  get start(): Spot {
    return this.#lines.spot(0, 1);
  }

  /** Where a key is written; for an item of a list, its value. */
  keySpot(container: Container, key: Key): Spot {
    const entry = this.#entry(container, key);
    if (entry === undefined) return this.containerSpot(container);
    return this.#lines.spot(...(entry.key ?? entry.value));
  }

  /** Where the value of a key is written; the key itself where nothing follows it. */
  valueSpot(container: Container, key: Key): Spot {
    const entry = this.#entry(container, key);
    if (entry === undefined) return this.containerSpot(container);
    const [start, end] = entry.value;
    if (start !== end) return this.#lines.spot(start, end);
    if (entry.key) return this.#lines.spot(...entry.key);
    // An item of a list that has nothing behind its dash.
    const dash = this.#lines.text.lastIndexOf("-", start);
    return this.#lines.spot(dash < 0 ? start : dash, dash < 0 ? end : dash + 1);
  }

  /** The first character of a map or list. */
  containerSpot(container: Container): Spot {
    const start = this.#tree.containers.get(container)?.start;
    return start === undefined ? this.start : this.#lines.spot(start, start + 1);
  }

  /** `length` characters from `index` of a scalar's value, wherever line breaks and escapes put them. */
  spotWithin(container: Container, key: Key, range: { index: number; length: number }): Spot {
    const entry = this.#entry(container, key);
    if (entry?.scalar === undefined) return this.valueSpot(container, key);
    const [begin, stop] = entry.scalar.range;
    if (this.#measured?.scalar !== entry.scalar) {
      const raw = this.#lines.text.slice(begin, stop);
      this.#measured = { scalar: entry.scalar, offsetOf: scalarOffsets(raw, entry.scalar) };
    }
    const { offsetOf } = this.#measured;
    const start = begin + offsetOf(range.index);
    const last = offsetOf(range.index + Math.max(1, range.length) - 1);
    return this.#lines.spot(start, begin + last + 1);
  }

  /**
   * A scalar as the author wrote it: `1e-4` and `1.10` stay so, quotes and block markers are gone.
   * Undefined for maps and lists.
   */
  spelling(container: Container, key: Key): string | undefined {
    return this.#entry(container, key)?.scalar?.text;
  }

  /** Keys that `prune` took out of a map. */
  removedFrom(container: Container): ReadonlySet<Key> {
    return this.#removed.get(container) ?? new Set();
  }

  /** The value at the end of a path; undefined where the path leads nowhere. */
  at(path: readonly PropertyKey[]): unknown {
    const chain = this.#chain(path);
    const last = chain.at(-1);
    if (last === undefined) return path.length === 0 ? this.value : undefined;
    if (chain.length < path.length) return undefined;
    return (last.container as Record<Key, unknown>)[last.key];
  }

  /** Follows a path from the root; the spot of the last part that exists. */
  pathSpot(path: readonly PropertyKey[], what: "key" | "value"): Spot {
    let container: unknown = this.value;
    let spot = isContainer(container) ? this.containerSpot(container) : this.start;
    for (const [index, part] of path.entries()) {
      if (!isContainer(container) || typeof part === "symbol") return spot;
      if (!this.has(container, part)) return spot;
      const isLast = index === path.length - 1;
      spot = isLast && what === "key"
        ? this.keySpot(container, part)
        : this.valueSpot(container, part);
      container = (container as Record<Key, unknown>)[part];
    }
    return spot;
  }

  /**
   * Takes keys and items out of the value, for callers that go on after a report. A path whose end
   * is missing takes out the last part that exists. Places of what stays remain known.
   *
   * @returns the maps and lists around what was taken out; undefined where that was the root itself
   */
  prune(paths: readonly (readonly PropertyKey[])[]): ReadonlySet<object> | undefined {
    const removals = new Map<Container, Set<Key>>();
    const damaged = new Set<object>();
    for (const path of paths) {
      const chain = this.#chain(path);
      const last = chain.at(-1);
      if (last === undefined) return undefined;
      for (const { container } of chain) damaged.add(container);
      removals.set(last.container, (removals.get(last.container) ?? new Set()).add(last.key));
    }
    for (const [container, keys] of removals) {
      this.#tree.remove(container, keys);
      const before = this.#removed.get(container) ?? [];
      this.#removed.set(container, new Set([...before, ...keys]));
    }
    return damaged;
  }

  /** Paths of values that the YAML's mistakes have made unreadable; something else stands in their place. */
  get losses(): readonly (readonly Key[])[] {
    const lost = this.#repairs.filter(({ isLoss }) => isLoss);
    const found: Key[][] = [];
    const seen = new Set<Container>();
    const visit = (container: Container, path: readonly Key[]) => {
      if (seen.has(container)) return;
      seen.add(container);
      for (const [name, { key, value }] of this.#tree.containers.get(container)?.entries ?? []) {
        const start = key?.[0] ?? value[0];
        if (!lost.some((mend) => start <= mend.end && mend.start <= value[1])) continue;
        const inner = (container as Record<Key, unknown>)[name];
        const before = found.length;
        if (isContainer(inner)) visit(inner, [...path, name]);
        if (found.length === before) found.push([...path, name]);
      }
    };
    if (lost.length > 0 && isContainer(this.value)) visit(this.value, []);
    return found;
  }

  /** Reports without those on lines whose YAML is wrong; nothing else is judged there. */
  withoutEchoes(found: readonly Diagnostic[]): Diagnostic[] {
    const lines = new Set(this.diagnostics.map(({ place }) => place.line));
    return found.filter(({ place }) => place.file !== this.file || !lines.has(place.line));
  }

  /** The containers and keys that a path leads through, as far as they exist. */
  #chain(path: readonly PropertyKey[]): { readonly container: Container; readonly key: Key }[] {
    const chain: { container: Container; key: Key }[] = [];
    let container: unknown = this.value;
    for (const key of path) {
      if (!isContainer(container) || typeof key === "symbol" || !this.has(container, key)) break;
      chain.push({ container, key });
      container = (container as Record<Key, unknown>)[key];
    }
    return chain;
  }

  has(container: Container, key: Key): boolean {
    return this.#entry(container, key) !== undefined;
  }

  #entry(container: Container, key: Key): Entry | undefined {
    return this.#tree.containers.get(container)?.entries.get(key);
  }
}

/** Reads YAML; mistakes are found in `diagnostics`, never thrown. */
export function readSource(content: string | Uint8Array, file: string): Source {
  return new Source(content, file);
}

export function isContainer(value: unknown): value is Container {
  return typeof value === "object" && value !== null;
}
