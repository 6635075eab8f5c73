/** A list that lies in a file: each item is read when it is asked for. */
import { GridError } from "./errors.ts";
import { parseJson } from "./exact_json.ts";
import type { JsonValue } from "./json.ts";
import { formatSize } from "./size.ts";

export interface ListSource {
  /** How messages name it. */
  readonly name: string;
  readonly length: number;
  /** Of all items as text. */
  readonly bytes: number;
  /** @throws {GridError} where it cannot be read */
  at(index: number): unknown;
  /** All of it as JSON. @throws {GridError} where it cannot be read */
  text(): string;
}

/** What is taken as one value fills memory several times over. */
export const LARGEST_VALUE = 64 << 20;

const sources = new WeakMap<object, ListSource>();
const origins = new WeakMap<object, readonly JsonValue[]>();

/** To whoever uses it an array like any other, but for its keys. */
export function filedList(source: ListSource): readonly JsonValue[] {
  const list = new Proxy<JsonValue[]>([], {
    get: (target, key) => {
      if (key === "length") return source.length;
      if (key === "toJSON") return () => wholeOf(source);
      const index = indexOf(key);
      if (index === undefined) return Reflect.get(target, key);
      return index < source.length ? source.at(index) : undefined;
    },
    has: (target, key) => {
      const index = indexOf(key);
      return index === undefined ? Reflect.has(target, key) : index < source.length;
    },
    set: () => false,
  });
  sources.set(list, source);
  return list;
}

/** Where the items come from; undefined for a list in memory, and for anything else. */
export function sourceOf(value: unknown): ListSource | undefined {
  return typeof value === "object" && value !== null ? sources.get(value) : undefined;
}

/** The same list with each item changed when it is asked for. */
export function changedList(
  list: readonly JsonValue[],
  change: (item: JsonValue) => unknown,
): readonly unknown[] {
  const source = sources.get(list);
  if (source === undefined) return list.map(change);
  const { name, length, bytes } = source;
  const changed = filedList({
    name,
    length,
    bytes,
    at: (index) => change(source.at(index) as JsonValue),
    text: () => source.text(),
  });
  origins.set(changed, list);
  return changed;
}

/** What `changedList` was given; undefined for any other list. */
export function originOf(list: object): readonly JsonValue[] | undefined {
  return origins.get(list);
}

function wholeOf(source: ListSource): JsonValue {
  if (source.bytes <= LARGEST_VALUE) return parseJson(source.text());
  throw new GridError({
    code: "output-invalid",
    message: `Cannot take ${source.name} as one value: it has ${formatSize(source.bytes)}, ` +
      `more than ${formatSize(LARGEST_VALUE)}`,
    hint: "read its file instead, one JSON value per line: steps.<id>.outputs.file",
  });
}

function indexOf(key: string | symbol): number | undefined {
  return typeof key === "string" && /^\d+$/.test(key) ? Number(key) : undefined;
}
