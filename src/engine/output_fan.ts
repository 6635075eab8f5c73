import type { Masker, MaskStream } from "../core/secret.ts";
import type { AttemptOutput, OutputSink, OutputStream } from "./ports.ts";
import type { RunReader } from "./reader.ts";

export interface OutputFanOptions {
  readonly masker: Masker;
  readonly readers: readonly RunReader[];
}

/** Masks what commands print and hands it to every reader; the slowest reader sets the pace. */
export function createOutputFan({ masker, readers }: OutputFanOptions): OutputSink {
  const listening = readers.filter((reader) => reader.output !== undefined);
  return {
    open({ step, attempt }) {
      const send = (stream: OutputStream, bytes: Uint8Array): void | Promise<void> => {
        if (bytes.length === 0) return;
        const waits = listening.map((reader) => reader.output?.({ step, attempt, stream, bytes }))
          .filter((wait) => wait !== undefined);
        if (waits.length > 0) return Promise.all(waits).then(() => {});
      };
      return new MaskedOutput(masker, send);
    },
  };
}

class MaskedOutput implements AttemptOutput {
  readonly #streams: Readonly<Record<OutputStream, MaskStream>>;
  readonly #send: (stream: OutputStream, bytes: Uint8Array) => void | Promise<void>;

  constructor(
    masker: Masker,
    send: (stream: OutputStream, bytes: Uint8Array) => void | Promise<void>,
  ) {
    this.#streams = { stdout: masker.stream(), stderr: masker.stream() };
    this.#send = send;
  }

  write(stream: OutputStream, bytes: Uint8Array): void | Promise<void> {
    return this.#send(stream, this.#streams[stream].push(bytes));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#send("stdout", this.#streams.stdout.end());
    await this.#send("stderr", this.#streams.stderr.end());
  }
}
