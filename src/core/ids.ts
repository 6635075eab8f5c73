import { hash } from "node:crypto";

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

/** `length` random characters; 20 give about 99 bits. */
export function randomWord(length: number): string {
  let word = "";
  for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
    word += ALPHABET[byte % ALPHABET.length];
  }
  return word;
}

/** File systems take 255 bytes; what is put before and behind has to fit too. */
const LONGEST_FILE_NAME = 120;

/**
 * A name of any spelling as a file name: other characters become `_`, and of a long one the beginning
 * and a digest are left.
 */
export function fileNameOf(name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9._=,-]/g, "_");
  if (plain.length <= LONGEST_FILE_NAME) return plain;
  const digest = hash("sha256", name, "hex").slice(0, 16);
  return `${plain.slice(0, LONGEST_FILE_NAME - digest.length - 1)}.${digest}`;
}
