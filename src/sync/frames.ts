/**
 * An archive on its way to a node, in frames: `apply.sh` takes them apart. Where the link proves to be
 * slow, blocks travel compressed; where it is fast, all that is left is one frame without an end but that of
 * the input, which costs the node least.
 */
import { concatBytes } from "../core/bytes.ts";
import { monotonic } from "../core/clock.ts";
import type { Conversation } from "./conversation.ts";
import type { Block, Compression } from "./shared_pack.ts";

/**
 * Bytes per millisecond below which compression wins: gzip packs some 30 MB a second, and what is code
 * or text becomes a third of it.
 */
const SLOW_RATE = 8000;
/** A block that gives up less than this part is sent as it is. */
const WORTH = 0.9;
/** Below this the question how fast the link is costs more than it can gain. */
const SMALL_BYTES = 2 ** 17;

const encoder = new TextEncoder();

/** The node said something else in the middle of the archive. */
export class GaveUp extends Error {
  override readonly name = "GaveUp";
  readonly line: string;

  constructor(line: string) {
    super(`it said "${line}"`);
    this.line = line;
  }
}

export class FrameWriter {
  readonly #talk: Conversation;
  readonly #compression: Compression | undefined;
  readonly #canRest: boolean;
  #isSlow: boolean | undefined;
  #isResting = false;
  /** Small ones at the beginning, which travel together: each frame is a process on the node. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;

  constructor(
    talk: Conversation,
    { compression, canRest }: {
      /** What the node can take apart. */
      readonly compression: Compression | undefined;
      /** Whether it can tell by the sum that nothing is missing. */
      readonly canRest: boolean;
    },
  ) {
    this.#talk = talk;
    this.#compression = compression;
    this.#canRest = canRest;
  }

  async block(block: Block): Promise<void> {
    const { bytes } = block;
    if (this.#isResting) return await this.#talk.write(bytes, block.release);
    if (this.#isSlow === undefined && this.#heldBytes + bytes.length < SMALL_BYTES) {
      this.#held.push(bytes);
      this.#heldBytes += bytes.length;
      return;
    }
    if (this.#heldBytes > 0) await this.#frame("plain", this.#takeHeld());
    const way = this.#compression;
    const packed = this.#isSlow && way ? await block.compressed(way) : bytes;
    const isSmaller = packed.length < bytes.length * WORTH;
    const body = isSmaller ? packed : bytes;
    const startedAt = monotonic();
    await this.#frame(isSmaller ? way ?? "plain" : "plain", body);
    if (way && this.#isSlow === undefined && bytes.length >= SMALL_BYTES) {
      // The first block tells how fast the link is, buffers on the way or not.
      await this.#say("ping");
      const line = await this.#talk.line();
      if (line !== "pong") throw new GaveUp(line);
      this.#isSlow = bytes.length / (monotonic() - startedAt) < SLOW_RATE;
      if (this.#isSlow || !this.#canRest) return;
      await this.#say("rest");
      this.#isResting = true;
    }
  }

  async end(): Promise<void> {
    if (this.#isResting) return;
    if (this.#heldBytes === 0) return await this.#say("end");
    const held = this.#takeHeld();
    if (this.#canRest) {
      await this.#say("rest");
      return await this.#talk.write(held);
    }
    await this.#frame("plain", held);
    await this.#say("end");
  }

  #takeHeld(): Uint8Array {
    const held = concatBytes(this.#held);
    this.#held = [];
    this.#heldBytes = 0;
    return held;
  }

  async #frame(kind: Compression | "plain", body: Uint8Array): Promise<void> {
    await this.#say(`${kind} ${body.length}`);
    await this.#talk.write(body);
  }

  async #say(words: string): Promise<void> {
    await this.#talk.write(encoder.encode(`${words}\n`));
  }
}
