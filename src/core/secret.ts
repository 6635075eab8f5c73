/** Removes secrets, in all their usual encodings, from text and byte streams. */
import { ExactNumber } from "./exact_number.ts";
import { createPatternSearch, type PatternSearch } from "./pattern_search.ts";
import { secretForms, type SecretParts } from "./secret_forms.ts";
import { concatBytes } from "./bytes.ts";

export interface Masker {
  /** The text with every known secret replaced by `***`. */
  text(value: string): string;
  /** The value with every string in it masked, keys too; a number that spells a secret becomes `***`. */
  value<T>(value: T): T;
  /** It knows no secret. */
  readonly isIdle: boolean;
  /** A filter for one byte stream; holds back only what might be the start of a secret. */
  stream(): MaskStream;
}

export interface MaskStream {
  push(bytes: Uint8Array): Uint8Array;
  /** What was held back. */
  end(): Uint8Array;
  /** Whether a secret has been found in it. */
  readonly masked: boolean;
}

/** Stands for a secret. */
export const MASK = "***";

/**
 * Knows each secret as it is, its lines, the strings in it where it is JSON, and all of them in
 * base64 at any offset, percent-encoded, escaped for JSON, HTML and Python and quoted for a shell;
 * the whole also in hex and in base64 that is broken into lines. Values of fewer than four
 * characters are let through: masking them would ruin every text.
 */
export function createMasker(secrets: Iterable<string | SecretParts>): Masker {
  const forms = [...secrets].flatMap((secret) => [...secretForms(secret)]);
  const search = createPatternSearch(forms);
  const text = (value: string) => maskText(value, search);
  return {
    text,
    isIdle: search.longest === 0,
    value: <T>(value: T) => search.longest === 0 ? value : maskValue(value, text) as T,
    stream: () => new MaskFilter(search),
  };
}

const encoder = new TextEncoder();
const NOTHING = new Uint8Array(0);

function maskText(value: string, search: PatternSearch): string {
  if (value.length === 0 || search.longest === 0) return value;
  const bytes = encoder.encode(value);
  const filter = new MaskFilter(search);
  const parts = [filter.push(bytes), filter.end()];
  if (!filter.masked) return value;
  return parts.map((part) => new TextDecoder("utf-8", { ignoreBOM: true }).decode(part)).join("");
}

function maskValue(value: unknown, text: (value: string) => string): unknown {
  if (typeof value === "string") return text(value);
  if (typeof value === "number" || typeof value === "bigint") {
    return text(String(value)).includes(MASK) ? MASK : value;
  }
  if (value instanceof ExactNumber) return text(value.text).includes(MASK) ? MASK : value;
  if (Array.isArray(value)) return value.map((item) => maskValue(item, text));
  if (typeof value !== "object" || value === null || !isPlain(value)) return value;
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    copy[freeKey(copy, text(key))] = maskValue(item, text);
  }
  return copy;
}

function isPlain(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Two keys that are equal once masked must not swallow each other's value. */
function freeKey(taken: object, key: string): string {
  let free = key;
  for (let count = 2; Object.hasOwn(taken, free); count++) free = `${key} (${count})`;
  return free;
}

class MaskFilter implements MaskStream {
  readonly #search: PatternSearch;
  #held: Uint8Array = NOTHING;
  /** Bytes at the start of `#held` that belong to a secret whose mask has been written. */
  #covered = 0;
  masked = false;

  constructor(search: PatternSearch) {
    this.#search = search;
  }

  push(bytes: Uint8Array): Uint8Array {
    if (this.#search.longest === 0) return bytes;
    const all = this.#held.length === 0 ? bytes : concatBytes([this.#held, bytes]);
    const until = this.#search.openEnd(all);
    const clean = this.#mask(all, until);
    // A copy: the rest of a large chunk must not live on for the sake of its last bytes.
    this.#held = until === all.length ? NOTHING : all.slice(until);
    return clean;
  }

  end(): Uint8Array {
    const clean = this.#mask(this.#held, this.#held.length);
    this.#held = NOTHING;
    this.#covered = 0;
    return clean;
  }

  /** The bytes before `until` with every secret replaced, those that reach across it too. */
  #mask(bytes: Uint8Array, until: number): Uint8Array {
    const parts: Uint8Array[] = [];
    let done = this.#covered;
    this.#search.scan(bytes, (start, end) => {
      // Secrets that overlap become one mask.
      if (start >= done && start < until) {
        parts.push(bytes.subarray(done, start), encoder.encode(MASK));
        this.masked = true;
        done = end;
      } else if (start < done) {
        done = Math.max(done, end);
      }
    });
    if (done < until) parts.push(bytes.subarray(done, until));
    this.#covered = Math.max(0, done - until);
    return concatBytes(parts);
  }
}
