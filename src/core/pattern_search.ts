/**
 * Looks for many byte patterns at once, after Wu and Manber (University of Arizona TR-94-17): pairs
 * of bytes that stand nowhere near the start of any pattern let it jump ahead.
 */
export interface PatternSearch {
  /** Longest pattern in bytes; 0 where there are no patterns. */
  readonly longest: number;
  /** Calls back with every match, in order of its start; the longest of those that start together. */
  scan(bytes: Uint8Array, found: (start: number, end: number) => void): void;
  /** The first index from which on all bytes are the beginning, but not the whole, of a pattern. */
  openEnd(bytes: Uint8Array): number;
}

/** Every pattern has at least this many bytes. */
export const SHORTEST_PATTERN = 4;

export function createPatternSearch(texts: Iterable<string>): PatternSearch {
  const encoder = new TextEncoder();
  const patterns = [...new Set(texts)].map((text) => encoder.encode(text))
    .filter((pattern) => pattern.length >= SHORTEST_PATTERN)
    .sort((a, b) => b.length - a.length);
  return new WuManber(patterns);
}

class WuManber implements PatternSearch {
  readonly longest: number;
  /** Bytes of each pattern that the table looks at: as many as the shortest one has. */
  readonly #window: number;
  /** Per pair of bytes, how far the window may move on; 0 where a pattern's window ends with it. */
  readonly #shifts: Uint8Array;
  /** By the pair that their window ends with, longest first. */
  readonly #byWindowEnd = new Map<number, Uint8Array[]>();
  /** By their first byte, for the very last byte of a text; longest first. */
  readonly #byFirstByte = new Map<number, Uint8Array[]>();
  readonly #byFirstPair = new Map<number, Uint8Array[]>();

  constructor(patterns: readonly Uint8Array[]) {
    this.longest = patterns[0]?.length ?? 0;
    this.#window = Math.min(255, patterns.at(-1)?.length ?? SHORTEST_PATTERN);
    this.#shifts = new Uint8Array(65_536).fill(this.#window - 1);
    for (const pattern of patterns) this.#add(pattern);
  }

  scan(bytes: Uint8Array, found: (start: number, end: number) => void): void {
    if (this.longest === 0) return;
    const { length } = bytes;
    const shifts = this.#shifts;
    for (let at = this.#window - 1; at < length;) {
      const pair = pairAt(bytes, at);
      const shift = shifts[pair] ?? 1;
      if (shift > 0) {
        at += shift;
        continue;
      }
      const start = at - this.#window + 1;
      // Sorted by length, so the first that fits is the longest.
      const match = this.#byWindowEnd.get(pair)?.find((pattern) =>
        start + pattern.length <= length && fits(bytes, { pattern, start })
      );
      if (match) found(start, start + match.length);
      at++;
    }
  }

  openEnd(bytes: Uint8Array): number {
    for (let at = Math.max(0, bytes.length - this.longest + 1); at < bytes.length; at++) {
      const left = bytes.length - at;
      const candidates = left === 1
        ? this.#byFirstByte.get(bytes[at] ?? 0)
        : this.#byFirstPair.get(pairAt(bytes, at + 1));
      for (const pattern of candidates ?? []) {
        if (pattern.length <= left) break;
        if (fits(bytes, { pattern, start: at })) return at;
      }
    }
    return bytes.length;
  }

  #add(pattern: Uint8Array): void {
    for (let at = 1; at < this.#window; at++) {
      const pair = pairAt(pattern, at);
      const shift = this.#window - 1 - at;
      if (shift < (this.#shifts[pair] ?? 0)) this.#shifts[pair] = shift;
    }
    addTo(this.#byWindowEnd, { key: pairAt(pattern, this.#window - 1), pattern });
    addTo(this.#byFirstPair, { key: pairAt(pattern, 1), pattern });
    addTo(this.#byFirstByte, { key: pattern[0] ?? 0, pattern });
  }
}

function addTo(
  patterns: Map<number, Uint8Array[]>,
  { key, pattern }: { readonly key: number; readonly pattern: Uint8Array },
): void {
  const known = patterns.get(key);
  if (known) known.push(pattern);
  else patterns.set(key, [pattern]);
}

/** The byte at `at` and the one before it, as a number below 65,536. */
function pairAt(bytes: Uint8Array, at: number): number {
  return (bytes[at - 1] ?? 0) | (bytes[at] ?? 0) << 8;
}

/** Whether the pattern stands at `start`, as far as the bytes reach. */
function fits(
  bytes: Uint8Array,
  { pattern, start }: { readonly pattern: Uint8Array; readonly start: number },
): boolean {
  const length = Math.min(pattern.length, bytes.length - start);
  for (let at = 0; at < length; at++) if (bytes[start + at] !== pattern[at]) return false;
  return true;
}
