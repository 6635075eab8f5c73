import { Writable } from "node:stream";

export interface TerminalStreamOptions {
  readonly write: (text: string) => void;
  readonly width: () => number;
  readonly height: () => number;
}

/** A terminal as log-update wants to know it. */
export class TerminalStream extends Writable {
  readonly isTTY = true;
  readonly #options: TerminalStreamOptions;

  constructor(options: TerminalStreamOptions) {
    super({ decodeStrings: false });
    this.#options = options;
  }

  get columns(): number {
    return this.#options.width();
  }

  get rows(): number {
    return this.#options.height();
  }

  override _write(chunk: unknown, _encoding: string, done: () => void): void {
    this.#options.write(String(chunk));
    done();
  }
}
