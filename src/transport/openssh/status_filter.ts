/** Takes the lines of `supervised_command.ts` out of a command's stderr, byte for byte. */
import { Buffer } from "node:buffer";
import type { ChannelExit } from "../transport.ts";

export interface StatusNews {
  readonly onStart: () => void;
  readonly onExit: (exit: ChannelExit) => void;
}

export class StatusFilter {
  readonly #word: Buffer;
  readonly #news: StatusNews;
  /** Bytes that may yet turn out to be one of the lines. */
  #held: Buffer = Buffer.alloc(0);
  #started = false;

  constructor(word: string, news: StatusNews) {
    this.#word = Buffer.from(word);
    this.#news = news;
  }

  /** The command's own bytes; what start-up files print before it starts is dropped. */
  push(chunk: Uint8Array): Uint8Array {
    let rest = Buffer.concat([this.#held, chunk]);
    const own: Buffer[] = [];
    for (;;) {
      const at = rest.indexOf(this.#word);
      const end = at < 0 ? -1 : rest.indexOf("\n", at);
      const passed = at < 0 ? rest.length - this.#heldBack(rest) : at;
      if (this.#started) own.push(rest.subarray(0, passed));
      if (end < 0) {
        this.#held = rest.subarray(passed);
        return new Uint8Array(Buffer.concat(own));
      }
      this.#read(rest.toString("latin1", at + this.#word.length + 1, end));
      rest = rest.subarray(end + 1);
    }
  }

  /** What was held back when the stream ended. */
  end(): Uint8Array {
    const rest = this.#started ? this.#held : Buffer.alloc(0);
    this.#held = Buffer.alloc(0);
    return new Uint8Array(rest);
  }

  /** How many of the last bytes are the beginning of the word. */
  #heldBack(bytes: Buffer): number {
    for (let length = Math.min(this.#word.length - 1, bytes.length); length > 0; length--) {
      if (bytes.subarray(-length).equals(this.#word.subarray(0, length))) return length;
    }
    return 0;
  }

  #read(line: string): void {
    const [kind, value = ""] = line.split(" ");
    if (kind === "start") {
      this.#started = true;
      this.#news.onStart();
    }
    if (kind === "code") this.#news.onExit({ kind, code: Number(value) });
    if (kind === "signal") this.#news.onExit({ kind, signal: `SIG${value}` });
  }
}
