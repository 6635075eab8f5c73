/**
 * What the program is at, for somebody who watches it from another thread: a word that stands in
 * memory both can see, so that it can be read while this thread does nothing but that work.
 */

/** Bytes of the board: a count of heartbeats, the length of the word, whether the watcher acts; the word. */
const HEAD = 12;
const LONGEST_WORD = 504;

const encoder = new TextEncoder();
let board: { readonly counts: Int32Array; readonly word: Uint8Array } | undefined;

/** Memory for `during`, to be handed to the thread that watches; nothing is noted before. */
export function openBoard(): SharedArrayBuffer {
  const shared = new SharedArrayBuffer(HEAD + LONGEST_WORD);
  board = viewOf(shared);
  return shared;
}

export function closeBoard(): void {
  board = undefined;
}

/** Shows that this thread's event loop turns. */
export function beat(): void {
  if (board) Atomics.add(board.counts, 0, 1);
}

/** Runs work that does not wait, and says meanwhile what it is. */
export function during<T>(what: () => string, work: () => T): T {
  if (board === undefined) return work();
  const before = wordOf(board);
  write(board, encoder.encode(what()).subarray(0, LONGEST_WORD));
  try {
    return work();
  } finally {
    if (board) write(board, before);
  }
}

/** Whether the thread that watches does something in place of this one. */
export function isStoodInFor(): boolean {
  return board !== undefined && Atomics.load(board.counts, 2) === 1;
}

export function noteStandIn(shared: SharedArrayBuffer, acts: boolean): void {
  Atomics.store(viewOf(shared).counts, 2, acts ? 1 : 0);
}

/** What the watched thread last said. */
export function readBoard(
  shared: SharedArrayBuffer,
): { readonly beats: number; readonly word: string } {
  const view = viewOf(shared);
  return {
    beats: Atomics.load(view.counts, 0),
    // A word that was cut within a character.
    word: new TextDecoder().decode(wordOf(view)).replace(/\uFFFD+$/, "…"),
  };
}

function viewOf(shared: SharedArrayBuffer) {
  return { counts: new Int32Array(shared, 0, 3), word: new Uint8Array(shared, HEAD) };
}

function wordOf({ counts, word }: NonNullable<typeof board>): Uint8Array {
  return Uint8Array.from(word.subarray(0, Atomics.load(counts, 1)));
}

function write({ counts, word }: NonNullable<typeof board>, bytes: Uint8Array): void {
  word.set(bytes);
  Atomics.store(counts, 1, bytes.length);
}
