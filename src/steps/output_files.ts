/** Reads outputs too large for an event: a file of the run for each, one JSON value per line. */
import { join } from "node:path";
import { GridError, refusedError } from "../core/errors.ts";
import { parseJson } from "../core/exact_json.ts";
import { filedList } from "../core/filed_list.ts";
import type { JsonValue } from "../core/json.ts";
import { nodeFs } from "../core/node_builtins.ts";
import { thrownWords } from "../core/refusal.ts";
import type { OutputFile } from "../engine/event.ts";

const NEWLINE = 10;
const CHUNK_BYTES = 1 << 18;
const DECODER = new TextDecoder();

/** Files of all runs; `runs` is the absolute folder of their folders. */
export class OutputReader {
  readonly #runs: string;

  constructor(runs: string) {
    this.#runs = runs;
  }

  pathOf({ run, file }: OutputFile): string {
    return join(this.#runs, run, "results", file);
  }

  /** One clause; undefined where the file is as it was written. */
  lost(output: OutputFile): string | undefined {
    const size = nodeFs().statSync(this.pathOf(output), { throwIfNoEntry: false })?.size;
    if (size === output.bytes) return undefined;
    const state = size === undefined ? "is gone" : "is not as it was";
    return `"${
      join(".grid", "runs", output.run, "results", output.file)
    }", which it wrote, ${state}`;
  }

  list(output: OutputFile, name: string): readonly JsonValue[] {
    let places: Float64Array | undefined;
    const { items: length, bytes } = output;
    const open = () => this.#open(output, name);
    const at = (index: number) => {
      using file = open();
      places ??= file.places(length);
      const [from = 0, to = 0] = places.subarray(index, index + 2);
      return parseLine(file.text(from, to - 1), { name, index });
    };
    const text = () => {
      using file = open();
      return `[${file.text(0, bytes - 1).replaceAll("\n", ",")}]`;
    };
    return filedList({ name, length, bytes, at, text });
  }

  #open(output: OutputFile, name: string): OpenOutput {
    const lost = this.lost(output);
    if (lost === undefined) return new OpenOutput(this.pathOf(output));
    throw new GridError({
      code: "output-invalid",
      message: `Cannot read ${name}: ${lost}`,
      hint: "run the step again; `grid clean` removes results with their runs",
    });
  }
}

class OpenOutput implements Disposable {
  readonly #path: string;
  readonly #descriptor: number;

  constructor(path: string) {
    this.#path = path;
    this.#descriptor = refusing(path, () => nodeFs().openSync(path, "r"));
  }

  /** Where each line begins, and where the last one ends. */
  places(lines: number): Float64Array {
    const places = new Float64Array(lines + 1);
    const chunk = new Uint8Array(CHUNK_BYTES);
    let [found, offset] = [0, 0];
    for (;;) {
      const read = this.#read(chunk, offset);
      if (read === 0) return places;
      const filled = chunk.subarray(0, read);
      for (let at = filled.indexOf(NEWLINE); at >= 0; at = filled.indexOf(NEWLINE, at + 1)) {
        if (found++ < lines) places[found] = offset + at + 1;
      }
      offset += read;
    }
  }

  text(from: number, to: number): string {
    const bytes = new Uint8Array(Math.max(0, to - from));
    for (let at = 0; at < bytes.length;) {
      const read = this.#read(bytes.subarray(at), from + at);
      if (read === 0) break;
      at += read;
    }
    return DECODER.decode(bytes);
  }

  #read(into: Uint8Array, at: number): number {
    return refusing(
      this.#path,
      () => nodeFs().readSync(this.#descriptor, into, 0, into.length, at),
    );
  }

  [Symbol.dispose](): void {
    nodeFs().closeSync(this.#descriptor);
  }
}

function parseLine(
  text: string,
  { name, index }: { readonly name: string; readonly index: number },
): JsonValue {
  try {
    return parseJson(text);
  } catch (cause) {
    throw new GridError({
      code: "output-invalid",
      message: `Cannot read ${name}: value ${index} is not JSON`,
      cause,
    });
  }
}

export function refusing<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw refusedError(error) ?? new GridError({
      code: "output-invalid",
      message: `Cannot keep results in ${path}: ${thrownWords(error)}`,
    });
  }
}
