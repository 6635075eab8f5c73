import { changedList, originOf } from "../core/filed_list.ts";
import { ExactNumber } from "../core/exact_number.ts";
import type { JsonValue } from "../core/json.ts";

/** A JSON value as CEL knows it: whole numbers are its `int`, which is a bigint here. */
export function toCel(value: JsonValue | undefined): unknown {
  if (value === undefined) return null;
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : value;
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof ExactNumber) return exactToCel(value);
  if (isList(value)) return changedList(value, toCel);
  return new CelMap(Object.entries(value).map(([key, inner]) => [key, toCel(inner)]));
}

/**
 * A map as CEL is given it. The library looks at `constructor` to learn what a value is, so that a
 * plain object cannot have such a key. Keys are text, as in JSON: `scores[3]` finds the key `"3"`.
 */
export class CelMap extends Map<string, unknown> {
  constructor(entries: Iterable<readonly [unknown, unknown]> = []) {
    super();
    for (const [key, value] of entries) this.set(String(key), value);
  }

  override get(key: unknown): unknown {
    return super.get(String(key));
  }

  override has(key: unknown): boolean {
    return super.has(String(key));
  }
}

// The library knows `Map` itself, and no kind of it.
Object.defineProperty(CelMap.prototype, "constructor", { value: Map });

const LARGEST_INT = 2n ** 63n;

/** All others go through as they are; what is calculated with them sees to their digits. */
function exactToCel(number: ExactNumber): unknown {
  if (!number.isInteger || /^-0/.test(number.text)) return number;
  const integer = BigInt(number.text);
  return -LARGEST_INT <= integer && integer < LARGEST_INT ? integer : number;
}

/** Back to JSON. Timestamps become ISO text, bytes become base64. */
export function fromCel(value: unknown): JsonValue {
  switch (typeof value) {
    case "bigint":
      return ExactNumber.ofBigInt(value);
    case "string":
    case "boolean":
      return value;
    case "number":
      return ExactNumber.ofNumber(value);
    case "object":
      return fromCelObject(value);
    default:
      return null;
  }
}

function fromCelObject(value: object | null): JsonValue {
  if (value === null) return null;
  if (value instanceof ExactNumber) return value;
  if (Array.isArray(value)) return originOf(value) ?? value.map(fromCel);
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return value.toBase64();
  if (value instanceof Map) {
    return Object.fromEntries([...value].map(([key, inner]) => [String(key), fromCel(inner)]));
  }
  return String(value);
}

/** A value inside a text: numbers without a needless `.0`, nothing for null, lists and maps as JSON. */
export function toText(value: JsonValue): string {
  if (value === null) return "";
  return typeof value === "object" && !(value instanceof ExactNumber)
    ? JSON.stringify(value)
    : String(value);
}

/** A value inside a shell line: one word; a list becomes one for each item. */
export function toShellItems(value: JsonValue): string[] {
  return isList(value) ? value.map(toText) : [toText(value)];
}

/** A value for an error message, cut where it is long. */
export function describeValue(value: JsonValue): string {
  const text = JSON.stringify(value);
  return text.length <= 60 ? text : `${text.slice(0, 57)}…`;
}

function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value);
}
