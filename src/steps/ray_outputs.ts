/** What came of a batch's tasks as outputs of its step: in the journal where it is little, else in files. */
import { concatBytes } from "../core/bytes.ts";
import { parseJson } from "../core/exact_json.ts";
import type { JsonValue } from "../core/json.ts";
import type { OutputFile } from "../engine/event.ts";
import type { OutputWriter, StepHost, StepOutcome } from "../engine/ports.ts";
import type { BatchOutcome, OutcomeSink } from "../ray/batch.ts";

/** Longer lists are not copied into events, database and report. */
export const INLINE_BYTES = 256 << 10;

type Outputs = Pick<Extract<StepOutcome, { status: "succeeded" }>, "outputs" | "filed" | "masked">;

export class BatchOutputs implements OutcomeSink, Disposable {
  readonly #results: Spill;
  readonly #errors: Spill;

  constructor(host: StepHost) {
    // The file of results is always there, so that a later step may read it whatever its size.
    this.#results = new Spill(() => host.outputFile?.("results"), { inlineBytes: 0 });
    this.#errors = new Spill(() => host.outputFile?.("errors"), { inlineBytes: INLINE_BYTES });
  }

  results(bytes: Uint8Array): void {
    this.#results.write(bytes);
  }

  errors(bytes: Uint8Array): void {
    this.#errors.write(bytes);
  }

  of({ total, failed }: BatchOutcome): Outputs {
    const lists = { results: this.#results.finish(), errors: this.#errors.finish() };
    const { path } = this.#results;
    const entries = Object.entries(lists);
    const filed = entries.flatMap(([name, { file }]) => file ? [[name, file] as const] : []);
    const masked = entries.flatMap(([name, { isMasked }]) => isMasked ? [name] : []);
    return {
      outputs: {
        ...Object.fromEntries(
          entries.flatMap(([name, { values }]) => values ? [[name, values] as const] : []),
        ),
        total,
        failed,
        ...(path !== undefined && { file: path }),
      },
      ...(filed.length > 0 && { filed: Object.fromEntries(filed) }),
      ...(masked.length > 0 && { masked }),
    };
  }

  [Symbol.dispose](): void {
    this.#results[Symbol.dispose]();
    this.#errors[Symbol.dispose]();
  }
}

/** One of these. */
interface Kept {
  readonly values?: JsonValue;
  readonly file?: OutputFile;
  readonly isMasked?: boolean;
}

/** Lines in memory while they are few, and in a file from `inlineBytes` on. */
class Spill implements Disposable {
  readonly #open: () => OutputWriter | undefined;
  readonly #inlineBytes: number;
  #writer: OutputWriter | undefined;
  /** Undefined once they are too many. */
  #lines: Uint8Array[] | undefined = [];
  #bytes = 0;

  constructor(
    open: () => OutputWriter | undefined,
    { inlineBytes }: { readonly inlineBytes: number },
  ) {
    this.#open = open;
    this.#inlineBytes = inlineBytes;
  }

  get path(): string | undefined {
    return this.#writer?.path;
  }

  write(bytes: Uint8Array): void {
    this.#bytes += bytes.length;
    if (this.#writer) this.#writer.write(bytes);
    else if (this.#bytes > this.#inlineBytes) {
      this.#writer = this.#open();
      this.#writer?.write(concatBytes([...this.#lines ?? [], bytes]));
    }
    // Without a file all of it is kept here.
    if (this.#writer && this.#bytes > INLINE_BYTES) this.#lines = undefined;
    else this.#lines?.push(bytes.slice());
  }

  finish(): Kept {
    const file = this.#writer?.finish();
    if (this.#lines) return { values: valuesOf(this.#lines) };
    return file ? { file } : { isMasked: true };
  }

  [Symbol.dispose](): void {
    this.#writer?.[Symbol.dispose]();
  }
}

function valuesOf(lines: readonly Uint8Array[]): JsonValue {
  const text = new TextDecoder().decode(concatBytes(lines));
  return parseJson(`[${text.slice(0, -1).replaceAll("\n", ",")}]`);
}
