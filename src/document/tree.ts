import { setOwn } from "../core/own.ts";
import type { Node, Pair } from "./yaml/yaml.ts";
import { isAlias, isMap, isSeq } from "./yaml/yaml.ts";
import { MAX_NESTING, NESTING } from "./yaml/nesting.ts";
import { keyOf, type Range, rangeOf, scalarOf, type ScalarSource } from "./yaml/yaml_node.ts";

export interface Entry {
  readonly key: Range | undefined;
  readonly value: Range;
  readonly scalar: ScalarSource | undefined;
}

export interface ContainerSource {
  /** Offset of the first character. */
  readonly start: number;
  readonly entries: Map<string | number, Entry>;
}

export interface TreeProblem {
  readonly rule:
    | "unknown-alias"
    | "circular-alias"
    | "alias-bomb"
    | "bad-merge"
    | "duplicate-key"
    | "unknown-tag"
    | "deep-nesting";
  readonly range: Range;
  readonly message: string;
  readonly hint?: string;
  /** Where the same key stands for the first time. */
  readonly first?: number;
}

export interface Tree {
  readonly value: unknown;
  /** What is known of each map and list. */
  readonly containers: Map<object, ContainerSource>;
  readonly problems: TreeProblem[];
  /** Takes keys out of a map or items out of a list, and closes the gaps. */
  remove(container: object, keys: ReadonlySet<string | number>): void;
}

/** Values that aliases may stand for altogether; past it the file is an attack or a slip. */
const MAX_EXPANDED = 2_000_000;

/** Plain values out of YAML nodes, with the place of every key and value beside them. */
export function plantTree(root: unknown): Tree {
  const planter = new Planter();
  const value = planter.plant(root as Node | null).value;
  return {
    value,
    containers: planter.containers,
    problems: planter.problems,
    remove: (container, keys) =>
      remove(planter.containers.get(container)?.entries, container, keys),
  };
}

function remove(
  entries: Map<string | number, Entry> | undefined,
  container: object,
  keys: ReadonlySet<string | number>,
): void {
  if (!Array.isArray(container)) {
    for (const key of keys) {
      delete (container as Record<string | number, unknown>)[key];
      entries?.delete(key);
    }
    return;
  }
  const kept = [...container.keys()].filter((index) => !keys.has(index));
  const values = kept.map((index) => container[index]);
  const places = kept.map((index) => entries?.get(index));
  container.splice(0, container.length, ...values);
  entries?.clear();
  for (const [index, place] of places.entries()) if (place) entries?.set(index, place);
}

interface Planted {
  readonly value: unknown;
  readonly range: Range;
  readonly scalar: ScalarSource | undefined;
  /** Values inside, aliases counted as often as they are used. */
  readonly weight: number;
}

class Planter {
  // Not weak: it lives as long as its values, and a weak one makes the collector slow.
  readonly containers = new Map<object, ContainerSource>();
  readonly problems: TreeProblem[] = [];
  /** `undefined` while the anchored value is still being read. */
  readonly #anchors = new Map<string, Planted | undefined>();
  #weight = 0;
  #hasLostAlias = false;
  #depth = 0;
  #saidTooDeep = false;

  plant(node: Node | null | undefined): Planted {
    if (this.#depth >= MAX_NESTING && (isMap(node) || isSeq(node))) return this.#tooDeep(node);
    this.#depth++;
    try {
      return this.#plant(node);
    } finally {
      this.#depth--;
    }
  }

  /** Said once, of the first. */
  #tooDeep(node: Node): Planted {
    const [start] = rangeOf(node);
    const range = [start, start + 1] as const;
    if (!this.#saidTooDeep) this.problems.push({ ...NESTING, range });
    this.#saidTooDeep = true;
    return { value: null, range, scalar: undefined, weight: 1 };
  }

  #plant(node: Node | null | undefined): Planted {
    if (isAlias(node)) return this.#alias(node.source, rangeOf(node));
    const anchor = node && "anchor" in node ? node.anchor : undefined;
    if (anchor) this.#anchors.set(anchor, undefined);
    const planted = isMap(node)
      ? this.#map(node.items as Pair[], rangeOf(node))
      : isSeq(node)
      ? this.#list(node.items as Node[], rangeOf(node))
      : this.#scalar(node);
    if (anchor) this.#anchors.set(anchor, planted);
    return planted;
  }

  #alias(name: string, range: Range): Planted {
    const target = this.#anchors.get(name);
    if (target !== undefined && this.#weight + target.weight <= MAX_EXPANDED) {
      this.#weight += target.weight;
      return { ...target, range };
    }
    this.#hasLostAlias = true;
    if (target !== undefined) {
      this.#problem("alias-bomb", range, `aliases stand for more than ${MAX_EXPANDED} values`);
    } else if (this.#anchors.has(name)) {
      this.#problem("circular-alias", range, `alias *${name} stands inside the value it refers to`);
    } else {
      const known = [...this.#anchors.keys()].map((anchor) => `&${anchor}`).join(", ");
      const names = known === "" ? "there are no anchors before it" : `known: ${known}`;
      const hint = `if it is a pattern, put it in quotes: "*${name}"`;
      const message = `unknown alias *${name} (${names})`;
      this.problems.push({ rule: "unknown-alias", range, message, ...(!isWord(name) && { hint }) });
    }
    return { value: null, range, scalar: undefined, weight: 1 };
  }

  /** A `!` and a blank say to YAML "just text"; whoever wrote it meant a negation. */
  #scalar(node: Node | null | undefined): Planted {
    const planted = scalarOf(node);
    if (node?.tag === "!") this.#problem("unknown-tag", planted.range, "a lone !");
    return planted;
  }

  #list(items: readonly Node[], range: Range): Planted {
    const value: unknown[] = [];
    const entries = new Map<number, Entry>();
    let weight = 1;
    this.#register(value, entries, range);
    for (const planted of items.flatMap((item) => this.#item(item))) {
      weight += planted.weight;
      entries.set(value.length, { key: undefined, value: planted.range, scalar: planted.scalar });
      value.push(planted.value);
    }
    this.#weight++;
    return { value, range, scalar: undefined, weight };
  }

  /** One item; two or more where its first key comes again, because a dash was forgotten there. */
  #item(item: Node): Planted[] {
    if (!isMap(item) || item.anchor) return [this.plant(item)];
    const pairs = item.items as Pair[];
    const first = pairs[0] && keyOf(pairs[0].key).name;
    const starts = pairs.flatMap(({ key }, index) => keyOf(key).name === first ? [index] : []);
    if (first === undefined || starts.length < 2 || item.flow) return [this.plant(item)];
    return starts.map((start, index) => {
      const part = pairs.slice(start, starts[index + 1]);
      const [from] = index === 0 ? rangeOf(item) : keyOf(part[0]?.key).range;
      if (index > 0) {
        const range = keyOf(part[0]?.key).range;
        const message = `a - is missing before ${first}:, which comes twice in one item`;
        const hint = `write - ${first}: for a new item, or remove the second one`;
        this.problems.push({ rule: "duplicate-key", range, message, hint });
      }
      return this.#map(part, [from, rangeOf(item)[1]]);
    });
  }

  #map(pairs: readonly Pair[], range: Range): Planted {
    const value: Record<string, unknown> = {};
    const entries = new Map<string, Entry>();
    const merges: { key: Range; planted: Planted }[] = [];
    let weight = 1;
    this.#register(value, entries, range);
    for (const pair of pairs) {
      const key = keyOf(pair.key);
      const planted = this.plant(pair.value as Node | null);
      weight += planted.weight;
      if (key.isMerge) {
        merges.push({ key: key.range, planted });
        continue;
      }
      const earlier = entries.get(key.name)?.key;
      if (earlier) {
        const message = `key "${key.name}" is written twice`;
        this.problems.push({ rule: "duplicate-key", range: key.range, message, first: earlier[0] });
        continue;
      }
      const valueRange = pair.value === null
        ? [key.range[1], key.range[1]] as const
        : planted.range;
      entries.set(key.name, { key: key.range, value: valueRange, scalar: planted.scalar });
      setOwn(value, key.name, planted.value);
    }
    for (const { key, planted } of merges) this.#merge(value, entries, { key, planted });
    this.#weight++;
    return { value, range, scalar: undefined, weight };
  }

  /** Keys written out win over merged ones, earlier merges over later ones. */
  #merge(
    into: Record<string, unknown>,
    entries: Map<string, Entry>,
    merge: { readonly key: Range; readonly planted: Planted },
  ): void {
    const source = merge.planted.value;
    for (const part of Array.isArray(source) ? source : [source]) {
      // An alias that leads nowhere is reported already.
      if (part === null && this.#hasLostAlias) continue;
      const partEntries = isPlainMap(part) ? this.containers.get(part)?.entries : undefined;
      if (partEntries === undefined) {
        this.#problem(
          "bad-merge",
          merge.planted.range,
          "<< can only merge a map or a list of maps",
        );
        continue;
      }
      for (const [key, entry] of partEntries) {
        if (typeof key !== "string" || entries.has(key)) continue;
        entries.set(key, entry);
        setOwn(into, key, (part as Record<string, unknown>)[key]);
      }
    }
  }

  #register(value: object, entries: Map<string | number, Entry>, range: Range): void {
    this.containers.set(value, { start: range[0], entries });
  }

  #problem(rule: TreeProblem["rule"], range: Range, message: string): void {
    this.problems.push({ rule, range, message });
  }
}

function isWord(name: string): boolean {
  return /^[\w-]+$/.test(name);
}

function isPlainMap(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
