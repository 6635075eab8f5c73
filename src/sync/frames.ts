/**
 * An archive on its way to a node, in frames: `apply.sh` takes them apart. Where the link proves to be
 * slow, blocks travel compressed.
 */
import { monotonic } from "../core/clock.ts";
import type { Conversation } from "./conversation.ts";
import type { Block, Compression } from "./shared_pack.ts";
import type { StreamSum } from "./stream_sum.ts";

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
  #isSlow: boolean | undefined;

  constructor(
    talk: Conversation,
    { compression }: {
      /** What the node can take apart. */
      readonly compression: Compression | undefined;
    },
  ) {
    this.#talk = talk;
    this.#compression = compression;
  }

  async block(block: Block): Promise<void> {
    const { bytes } = block;
    const way = this.#compression;
    const packed = this.#isSlow && way ? await block.compressed(way) : bytes;
    const isSmaller = packed.length < bytes.length * WORTH;
    const body = isSmaller ? packed : bytes;
    const startedAt = monotonic();
    await this.#say(`${isSmaller ? way : "plain"} ${body.length}`);
    await this.#talk.write(body);
    if (way && this.#isSlow === undefined && bytes.length >= SMALL_BYTES) {
      // The first block tells how fast the link is, buffers on the way or not.
      await this.#say("ping");
      const line = await this.#talk.line();
      if (line !== "pong") throw new GaveUp(line);
      this.#isSlow = bytes.length / (monotonic() - startedAt) < SLOW_RATE;
    }
  }

  async end(sum: StreamSum): Promise<void> {
    await this.#say(`end ${sum}`);
  }

  async #say(words: string): Promise<void> {
    await this.#talk.write(encoder.encode(`${words}\n`));
  }
}
