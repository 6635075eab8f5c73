import { ExactNumber } from "./exact_number.ts";
import type { JsonValue } from "./json.ts";

const PART = /\.([A-Za-z_$][\w$-]*)|\[(\d+)\]|\["((?:[^"\\]|\\.)*)"\]/y;

/**
 * The value at a path such as `.metrics.loss`, `.runs[0].score` or `["val loss"]`; `.` is the whole.
 * Undefined where there is none, or where the path cannot be read.
 */
export function valueAt(document: JsonValue, path: string): JsonValue | undefined {
  const keys = parsePath(path);
  if (keys === undefined) return undefined;
  let value: JsonValue | undefined = document;
  for (const key of keys) {
    if (typeof value !== "object" || value === null || value instanceof ExactNumber) {
      return undefined;
    }
    if (Array.isArray(value)) value = typeof key === "number" ? value[key] : undefined;
    else value = Object.hasOwn(value, key) ? Object(value)[key] : undefined;
  }
  return value;
}

/** Whether a text is such a path. */
export function isJsonPath(text: string): boolean {
  return parsePath(text) !== undefined;
}

function parsePath(path: string): (string | number)[] | undefined {
  if (path === ".") return [];
  const text = /^[.[]/.test(path) ? path : `.${path}`;
  const keys: (string | number)[] = [];
  PART.lastIndex = 0;
  while (PART.lastIndex < text.length) {
    const match = PART.exec(text);
    if (match === null) return undefined;
    const [, name, index, quoted] = match;
    keys.push(index === undefined ? name ?? JSON.parse(`"${quoted}"`) : Number(index));
  }
  return keys;
}
