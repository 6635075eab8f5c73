/** What a command printed, on its way from its log to a terminal or a pipe. */
import { harmless } from "../terminal/harmless.ts";
import { LineSplitter } from "../terminal/line_splitter.ts";

export interface LogFilterOptions {
  /** Byte for byte, as the command wrote it; else nothing that moves a cursor gets through. */
  readonly raw: boolean;
  /** Keep the command's own colours, where it is filtered. */
  readonly color: boolean;
  readonly write: (data: string | Uint8Array) => void;
}

/** One log; told of its bytes as they come. */
export class LogFilter {
  readonly #options: LogFilterOptions;
  readonly #lines = new LineSplitter();

  constructor(options: LogFilterOptions) {
    this.#options = options;
  }

  push(bytes: Uint8Array): void {
    const { raw, write } = this.#options;
    if (raw) return write(bytes);
    const shown = this.#lines.push(bytes).map((line) => `${this.#harmless(line)}\n`).join("");
    if (shown !== "") write(shown);
  }

  /** The last line, which had no end. */
  end(): void {
    for (const line of this.#lines.end()) this.#options.write(this.#harmless(line));
  }

  #harmless(line: string): string {
    return harmless(line, { color: this.#options.color });
  }
}
