/** Letters and digits that cannot be mistaken for each other when read aloud. */
const ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz";

/**
 * A run's name, sortable by start time: `20260131-142530-x7k2` (UTC).
 * Safe as a file name and as a Ray submission id.
 */
export function newRunId(nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+Z$/g, "").replace("T", "-");
  return `${stamp}-${randomWord(4)}`;
}

/** Whether this is the whole name of a run. */
export function isRunId(text: string): boolean {
  return /^\d{8}-\d{6}-[2-9a-z]{4}$/.test(text);
}

/** `length` random characters; 20 give about 99 bits. */
export function randomWord(length: number): string {
  let word = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
    word += ALPHABET[byte % ALPHABET.length];
  }
  return word;
}

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
  // Loaded by those that need it: it takes longer than all else of a short command.
  const { hash } = globalThis.process.getBuiltinModule("node:crypto");
  const digest = hash("sha256", JSON.stringify(words), "hex");
  const room = length - DIGEST_CHARACTERS - 1;
  return `${clean.slice(0, room)}-${digest.slice(0, DIGEST_CHARACTERS)}`;
}
