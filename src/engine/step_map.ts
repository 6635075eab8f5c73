/** Steps per block: near the square root of the largest graphs, so that a change copies little. */
const BLOCK = 64;

interface Keys {
  readonly list: readonly string[];
  readonly index: ReadonlyMap<string, number>;
}

/**
 * An immutable map with a fixed set of keys, in order. `with` shares all but one block with the map
 * it was made from, so that a fold over many events of a large graph stays quick.
 */
export class StepMap<V> implements ReadonlyMap<string, V> {
  readonly #keys: Keys;
  readonly #blocks: readonly (readonly V[])[];

  private constructor(keys: Keys, blocks: readonly (readonly V[])[]) {
    this.#keys = keys;
    this.#blocks = blocks;
  }

  static of<V>(entries: readonly (readonly [string, V])[]): StepMap<V> {
    const list = entries.map(([key]) => key);
    const blocks: V[][] = [];
    for (let at = 0; at < entries.length; at += BLOCK) {
      blocks.push(entries.slice(at, at + BLOCK).map(([, value]) => value));
    }
    return new StepMap({ list, index: new Map(list.map((key, at) => [key, at])) }, blocks);
  }

  /** The map with the value of `key` replaced; undefined where there is no such key. */
  with(key: string, value: V): StepMap<V> | undefined {
    const at = this.#keys.index.get(key);
    if (at === undefined) return undefined;
    const block = Math.floor(at / BLOCK);
    const changed = this.#blocks[block]?.with(at % BLOCK, value) ?? [];
    return new StepMap(this.#keys, this.#blocks.with(block, changed));
  }

  get size(): number {
    return this.#keys.list.length;
  }

  has(key: string): boolean {
    return this.#keys.index.has(key);
  }

  get(key: string): V | undefined {
    const at = this.#keys.index.get(key);
    return at === undefined ? undefined : this.#blocks[Math.floor(at / BLOCK)]?.[at % BLOCK];
  }

  forEach(visit: (value: V, key: string, map: ReadonlyMap<string, V>) => void): void {
    for (const [key, value] of this) visit(value, key, this);
  }

  keys(): MapIterator<string> {
    return this.#keys.list.values();
  }

  values(): MapIterator<V> {
    return this.#blocks.flat().values();
  }

  entries(): MapIterator<[string, V]> {
    const values = this.#blocks.flat();
    return this.#keys.list.map((key, at): [string, V] => [key, values[at] as V]).values();
  }

  [Symbol.iterator](): MapIterator<[string, V]> {
    return this.entries();
  }
}
