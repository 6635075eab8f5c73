/** The driver's results file: one finished item per line, the last word on an item counts. */
import { parseJson } from "../core/exact_json.ts";
import { GridError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import type { Transport } from "../transport/transport.ts";
import { quote } from "../core/shell.ts";
import type { BatchOutcome, TaskResult } from "./batch.ts";

export class ResultsReader {
  readonly #results: (TaskResult | undefined)[];

  constructor(total: number) {
    this.#results = new Array(total).fill(undefined);
  }

  line(text: string): void {
    const value = parseLine(text);
    if (value !== undefined) this.add(value);
  }

  /** One line's value. */
  add(value: JsonValue): void {
    const entry = entryOf(value);
    if (entry && entry.index in this.#results) this.#results[entry.index] = entry.result;
  }

  /** By index; undefined for a task without an outcome. */
  get known(): readonly (TaskResult | undefined)[] {
    return this.#results;
  }

  /** @throws {GridError} `ray` if a task has no outcome */
  outcome(): BatchOutcome {
    const results = this.#results.filter((result) => result !== undefined);
    const missing = this.#results.length - results.length;
    if (missing > 0) {
      throw new GridError({
        code: "ray",
        message: `Cannot collect the results: ${missing} of ${this.#results.length} are missing`,
        hint: "Run the step again; finished items are kept",
      });
    }
    return { results, failed: results.filter((result) => !result.ok).length };
  }
}

/** Streams the file from the node, whatever its size. */
export async function readResults(
  transport: Transport,
  options: { readonly path: string; readonly total: number; readonly signal: AbortSignal },
): Promise<ResultsReader> {
  const reader = new ResultsReader(options.total);
  await using channel = await transport.open(readCommand(options.path), {
    signal: options.signal,
  });
  await channel.stdin.close();
  const errors = new Response(channel.stderr).text();
  let rest = "";
  for await (const text of channel.stdout.pipeThrough(new TextDecoderStream() as TextDecoding)) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    lines.forEach((line) => reader.line(line));
  }
  const exit = await channel.exit;
  if (exit.kind === "signal" || exit.code !== 0) {
    throw new GridError({
      code: "ray",
      message: `Cannot read the results ${options.path}: ${(await errors).trim()}`,
      node: transport.endpoint.name,
    });
  }
  await errors;
  return reader;
}

/** A driver that could not begin has none. */
function readCommand(path: string): string {
  return `sh -c ${quote(`[ ! -e ${quote(path)} ] || exec cat ${quote(path)}`)}`;
}

/** The platform's type allows any buffer source, a channel gives bytes. */
type TextDecoding = TransformStream<Uint8Array, string>;

/** Undefined for a line that its writer did not finish; the item ran again and has a later line. */
function parseLine(text: string): JsonValue | undefined {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

function entryOf(value: JsonValue): { index: number; result: TaskResult } | undefined {
  if (typeof value !== "object" || value === null || !("index" in value)) return undefined;
  const index = Number(value.index);
  return value.ok === true
    ? { index, result: { ok: true, value: value.value ?? null } }
    : { index, result: { ok: false, error: String(value.error) } };
}
