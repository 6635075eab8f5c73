/** Pieces of a file that is made of many: text, or the bytes of a text that was made before. */
export type Part = string | Uint8Array;

const encoder = new TextEncoder();

export function encoded(text: string): Uint8Array {
  return encoder.encode(text);
}

/** All of them as one. */
export function bytesOf(parts: readonly Part[]): Uint8Array {
  const pieces = parts.map((part) => typeof part === "string" ? encoder.encode(part) : part);
  const all = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}

/** The same as text. */
export function textOf(parts: readonly Part[]): string {
  return parts.every((part) => typeof part === "string")
    ? parts.join("")
    : new TextDecoder().decode(bytesOf(parts));
}
