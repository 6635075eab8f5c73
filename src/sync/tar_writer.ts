/** Gathers tar members into large blocks; files are read straight into the block that travels. */
import { Buffer } from "node:buffer";
import { BLOCK, putTarHeader, tarEnd, tarHeader, type TarMember, tarPadding } from "./tar.ts";

/** Takes a block and never looks at it again once the promise has settled; it may keep the block. */
export type Sink = (block: Uint8Array) => Promise<void>;

const encoder = new TextEncoder();
/** The first block tells how fast the link is, and is soon there. */
const FIRST_BLOCK_BYTES = 2 ** 19;
/** A file up to this size is read as a whole. */
const SMALL_BYTES = 2 ** 17;

/** A text, piece by piece, as often as it is wanted: so it is never in memory as a whole. */
export type Pieces = () => Iterable<string>;

export interface TarWriterOptions {
  /** Of each block but the first: large ones are fewer processes on the node. */
  readonly blockBytes?: number;
  /** A block of that size that nobody looks at any more, whatever is in it: a new one costs more than what fills it. */
  readonly spare?: () => Uint8Array | undefined;
}

export class TarWriter {
  readonly #sink: Sink;
  readonly #blockBytes: number;
  readonly #spare: () => Uint8Array | undefined;
  #block: Uint8Array = new Uint8Array(FIRST_BLOCK_BYTES);
  #used = 0;

  constructor(sink: Sink, { blockBytes = FIRST_BLOCK_BYTES, spare }: TarWriterOptions = {}) {
    this.#sink = sink;
    this.#blockBytes = blockBytes;
    this.#spare = spare ?? (() => undefined);
  }

  async header(member: TarMember): Promise<void> {
    if (this.#room() < BLOCK) await this.flush();
    if (putTarHeader(member, this.#block.subarray(this.#used, this.#used + BLOCK))) {
      this.#used += BLOCK;
      return;
    }
    const header = tarHeader(member);
    if (header.length > this.#room()) await this.flush();
    this.#block.set(header, this.#used);
    this.#used += header.length;
  }

  /**
   * The content of a small file, read by `read`; gives back the bytes, valid until the next call.
   * Undefined, and nothing is done, where the file is not small.
   */
  async small(
    size: number,
    read: (into: Uint8Array) => void,
  ): Promise<Uint8Array | undefined> {
    if (size > SMALL_BYTES) return undefined;
    if (size + BLOCK > this.#room()) await this.flush();
    const place = this.#block.subarray(this.#used, this.#used + size);
    read(place);
    this.#used += size;
    this.#pad(size);
    return place;
  }

  /** The content of a file of any size, in pieces. */
  async large(size: number, read: (into: Uint8Array) => void): Promise<void> {
    await this.#fill(size, read);
    await this.#end(size);
  }

  async #fill(size: number, read: (into: Uint8Array) => void): Promise<void> {
    for (let left = size; left > 0;) {
      if (this.#room() < BLOCK) await this.flush();
      const count = Math.min(left, this.#room());
      read(this.#block.subarray(this.#used, this.#used + count));
      this.#used += count;
      left -= count;
    }
  }

  async #end(size: number): Promise<void> {
    if (this.#room() < BLOCK) await this.flush();
    this.#pad(size);
  }

  async #bytes(bytes: Uint8Array): Promise<void> {
    let at = 0;
    await this.#fill(bytes.length, (into) => {
      into.set(bytes.subarray(at, at + into.length));
      at += into.length;
    });
  }

  /** A member whose content is already here. */
  async text(path: string, text: string | Pieces): Promise<void> {
    const pieces = typeof text === "string" ? () => [text] : text;
    let size = 0;
    for (const piece of pieces()) size += Buffer.byteLength(piece);
    await this.header({ path, type: "file", mode: 0o600, size, mtime: 0 });
    for (const piece of pieces()) await this.#bytes(encoder.encode(piece));
    await this.#end(size);
  }

  /** The last member: bytes that depend on all before them, and on how many zeros end the archive after them. */
  async last(
    path: string,
    { size, make }: { readonly size: number; readonly make: (zeros: number) => Uint8Array },
  ): Promise<void> {
    await this.header({ path, type: "file", mode: 0o600, size, mtime: 0 });
    await this.flush();
    await this.#bytes(make(tarPadding(size) + tarEnd().length));
    this.#pad(size);
  }

  async end(): Promise<void> {
    const end = tarEnd();
    if (end.length > this.#room()) await this.flush();
    this.#block.fill(0, this.#used, this.#used + end.length);
    this.#used += end.length;
    await this.flush();
  }

  /** Hands on what was gathered so far. */
  async flush(): Promise<void> {
    if (this.#used === 0) return;
    const block = this.#block.subarray(0, this.#used);
    this.#block = this.#spare() ?? new Uint8Array(this.#blockBytes);
    this.#used = 0;
    await this.#sink(block);
  }

  #room(): number {
    return this.#block.length - this.#used;
  }

  #pad(size: number): void {
    const padding = tarPadding(size);
    this.#block.fill(0, this.#used, this.#used + padding);
    this.#used += padding;
  }
}
