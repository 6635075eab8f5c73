/** Removes secrets, in all their usual encodings, from text and byte streams. */
export interface Masker {
  /** The text with every known secret replaced by `***`. */
  text(value: string): string;
  /** A deep copy with every string masked, keys too. */
  value<T>(value: T): T;
  /** A filter for one byte stream; holds back only what might be the start of a secret. */
  stream(): MaskStream;
}

export interface MaskStream {
  push(bytes: Uint8Array): Uint8Array;
  /** What was held back. */
  end(): Uint8Array;
}
