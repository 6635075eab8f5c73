/** Names of any spelling as parts of file names and ids. */
import { digestOf } from "./digest.ts";

/** Longest name that is made here, with room for an ending below the 255 bytes of file systems. */
const NAME_CHARACTERS = 120;
/** Characters of a digest behind a name; two names share one by chance once in 2^64. */
const DIGEST_CHARACTERS = 16;

/**
 * A name of any spelling as part of a file name that people read: other characters become `_`, and
 * a long one is cut. Names that are not alike may become alike: never an identity.
 */
export function readableName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._=,-]/g, "_").slice(0, NAME_CHARACTERS);
}

/**
 * Words of any spelling as one name of `[A-Za-z0-9_-]` and, unless `dots` is false, `.`; at most `length`
 * (120) characters. Different words have different names, whatever their characters, their length and
 * their number: where the name alone does not tell, a digest of the exact words stands behind it.
 */
export function distinctName(
  words: readonly string[],
  { dots = true, length = NAME_CHARACTERS }: {
    readonly dots?: boolean;
    /** Longest name; more than 20. */
    readonly length?: number;
  } = {},
): string {
  const joined = words.join(dots ? "." : "-");
  const clean = joined.replaceAll(dots ? /[^A-Za-z0-9._-]/g : /[^A-Za-z0-9_-]/g, "_")
    .replace(/^(?![A-Za-z0-9_])/, "_");
  const tells = words.length === 1 && clean === joined && joined.length <= length &&
    !/-[0-9a-f]{16}$/.test(joined);
  if (tells) return joined;
  const digest = digestOf(JSON.stringify(words));
  const room = length - DIGEST_CHARACTERS - 1;
  return `${clean.slice(0, room)}-${digest.slice(0, DIGEST_CHARACTERS)}`;
}
