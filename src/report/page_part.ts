/** Pieces of a file that is made of many: text, or the bytes of a text that was made before. */
export type Part = string | Uint8Array;

const encoder = new TextEncoder();

export function encoded(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Bytes of one unit of text at the most. */
const WIDEST = 3;

/** All of them as one. */
export function bytesOf(parts: readonly Part[]): Uint8Array {
  if (parts.every((part) => typeof part === "string")) return encoder.encode(parts.join(""));
  let most = 0;
  for (const part of parts) most += typeof part === "string" ? part.length * WIDEST : part.length;
  const all = new Uint8Array(most);
  let at = 0;
  for (const part of parts) {
    if (typeof part === "string") at += encoder.encodeInto(part, all.subarray(at)).written;
    else {
      all.set(part, at);
      at += part.length;
    }
  }
  return all.subarray(0, at);
}

/** The same as text. */
export function textOf(parts: readonly Part[]): string {
  return parts.every((part) => typeof part === "string")
    ? parts.join("")
    : new TextDecoder().decode(bytesOf(parts));
}
