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
