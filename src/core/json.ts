import type { ExactNumber } from "./exact_number.ts";

/** Any value that survives `JSON.stringify`. */
export type JsonValue =
  | string
  | number
  /** Where a `number` would have other digits. */
  | ExactNumber
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };
