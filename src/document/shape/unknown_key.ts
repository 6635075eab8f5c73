/** A key that a schema does not know, and the best that can be said of it. */
import { nearest } from "../../core/did_you_mean.ts";

export interface UnknownKey {
  /** It ends in the key. */
  readonly path: readonly PropertyKey[];
  readonly value: unknown;
  /** All keys of the same map. */
  readonly siblings: readonly string[];
}

export interface KeyHint {
  readonly hint: string;
  /** The known key that it stands for, which is then not missing. */
  readonly meant?: string | undefined;
}

/** What a format knows of keys that are none of its own. */
export interface KeyWords {
  /** The hint for a key of another tool. */
  foreign(unknown: UnknownKey): KeyHint | undefined;
  /** Where the key is known: "under retry:". */
  placesOf?(key: string): readonly string[];
}

export interface UnknownKeyContext {
  readonly words: KeyWords | undefined;
  /** Keys that are known at this place. */
  readonly known: readonly string[];
  /** The line behind the key. */
  readonly after: string;
}

/** The hint that leads furthest: another tool's word, a slip of the pen, another place, what is known. */
export function hintForKey(unknown: UnknownKey, context: UnknownKeyContext): KeyHint | undefined {
  const { words, known, after } = context;
  const key = String(unknown.path.at(-1));
  const foreign = words?.foreign(unknown);
  if (foreign !== undefined) return foreign;
  if (key.includes("${{")) return { hint: "a key cannot be an expression; write its name" };
  if (known.includes(key)) {
    const others = unknown.siblings.filter((other) => other !== key).join(", ");
    return { hint: `${key} does not go together with ${others}` };
  }
  if (/^[\w-]+:\S/.test(key)) return { hint: "put a blank after the :" };
  if (unknown.value === null && /^['"]?\s*[,}]/.test(after)) {
    return { hint: "a comma ends the value before it; put that value in quotes" };
  }
  const best = nearestWord(key, known);
  if (best !== undefined) return { hint: `did you mean "${best}"?`, meant: best };
  const places = words?.placesOf?.(key) ?? [];
  if (places.length > 0 && places.length < 4) return { hint: `it stands ${places.join(" or ")}` };
  return known.length === 0 ? undefined : { hint: `known keys here: ${known.join(", ")}` };
}

/** Words of one or two letters are near to everything. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  return word.length < 3 ? undefined : nearest(word, known);
}
