import type { Masker, MaskStream } from "../../core/secret.ts";
import { formatSize } from "../../core/size.ts";
import type { AttemptOutput, OutputSink, OutputStream } from "../ports.ts";
import type { RunReader } from "../reader.ts";
import { concatBytes } from "../../core/bytes.ts";
import { MaskedLines } from "./masked_lines.ts";

export interface OutputFanOptions {
  readonly masker: Masker;
  readonly readers: readonly RunReader[];
  /** What one attempt may print; the rest is read and dropped. Default: no limit. */
  readonly maxBytes?: number | undefined;
}

/** Masks what commands print and hands it to every reader; the slowest reader sets the pace. */
export function createOutputFan({ masker, readers, maxBytes }: OutputFanOptions): OutputSink {
  const listening = readers.filter((reader) => reader.output !== undefined);
  return {
    open({ step, attempt, hasSecrets = false }) {
      const send = (stream: OutputStream, bytes: Uint8Array): void | Promise<void> => {
        if (bytes.length === 0) return;
        const waits = listening.map((reader) => reader.output?.({ step, attempt, stream, bytes }))
          .filter((wait) => wait !== undefined);
        if (waits.length > 0) return Promise.all(waits).then(() => {});
      };
      const unkept = () =>
        listening.reduce((most, it) => Math.max(most, it.unkept?.(step, attempt) ?? 0), 0);
      const output = new MaskedOutput(masker, { send, unkept, hasSecrets });
      return maxBytes === undefined ? output : new CappedOutput(output, maxBytes);
    },
  };
}

type Send = (stream: OutputStream, bytes: Uint8Array) => void | Promise<void>;

interface MaskedOutputOptions {
  readonly send: Send;
  readonly unkept: () => number;
  readonly hasSecrets: boolean;
}

class MaskedOutput implements AttemptOutput {
  readonly #streams: Readonly<Record<OutputStream, MaskStream>>;
  readonly #lines = { stdout: new MaskedLines(), stderr: new MaskedLines() };
  readonly #send: Send;
  readonly #unkept: () => number;
  readonly #hasSecrets: boolean;

  constructor(masker: Masker, { send, unkept, hasSecrets }: MaskedOutputOptions) {
    this.#unkept = unkept;
    this.#hasSecrets = hasSecrets;
    this.#streams = { stdout: masker.stream(), stderr: masker.stream() };
    this.#send = send;
  }

  write(stream: OutputStream, bytes: Uint8Array): void | Promise<void> {
    return this.#hand(stream, this.#streams[stream].push(bytes));
  }

  /** A step without secrets may print three asterisks as it likes. */
  get maskedLines(): number {
    const { stdout, stderr } = this.#lines;
    const has = (stream: OutputStream) => this.#hasSecrets || this.#streams[stream].masked;
    return (has("stdout") ? stdout.count : 0) + (has("stderr") ? stderr.count : 0);
  }

  get unkeptBytes(): number {
    return this.#unkept();
  }

  #hand(stream: OutputStream, bytes: Uint8Array): void | Promise<void> {
    this.#lines[stream].push(bytes);
    return this.#send(stream, bytes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#hand("stdout", this.#streams.stdout.end());
    await this.#hand("stderr", this.#streams.stderr.end());
  }
}

/** Hands on the first `maxBytes` of both streams together, then one mark, then nothing. */
class CappedOutput implements AttemptOutput {
  readonly #output: AttemptOutput;
  readonly #maxBytes: number;
  #left: number;

  constructor(output: AttemptOutput, maxBytes: number) {
    this.#output = output;
    this.#maxBytes = maxBytes;
    this.#left = maxBytes;
  }

  write(stream: OutputStream, bytes: Uint8Array): void | Promise<void> {
    if (this.#left < 0) return;
    if (bytes.length <= this.#left) {
      this.#left -= bytes.length;
      return this.#output.write(stream, bytes);
    }
    const mark = `\n[grid: output beyond ${formatSize(this.#maxBytes)} was left out]\n`;
    const kept = bytes.subarray(0, this.#left);
    this.#left = -1;
    return this.#output.write(stream, concatBytes([kept, new TextEncoder().encode(mark)]));
  }

  get maskedLines(): number {
    return this.#output.maskedLines ?? 0;
  }

  get unkeptBytes(): number {
    return this.#output.unkeptBytes ?? 0;
  }

  [Symbol.asyncDispose](): PromiseLike<void> {
    return this.#output[Symbol.asyncDispose]();
  }
}
