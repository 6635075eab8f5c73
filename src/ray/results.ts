/** What came of the tasks, as the driver hands it over: a line for each, in their order. */
import { concatBytes } from "../core/bytes.ts";
import { GridError } from "../core/errors.ts";
import { quote, quoteAll } from "../core/shell.ts";
import { handOverSource } from "./driver_source.ts";
import { nodeProgram } from "../transport/node_program.ts";
import { Greeting } from "../transport/greeting.ts";
import type { Channel, Transport } from "../transport/transport.ts";
import type { BatchOutcome, OutcomeSink } from "./batch.ts";

const NEWLINE = 10;
/** `=`: the value follows, `!`: the error, `?`: there is no outcome. See `driver/results.py`. */
const VALUE = 61;
const ERROR = 33;
const ENCODER = new TextEncoder();
const SHORT_LINE = 64;
const NULL_LINE = ENCODER.encode("null\n");
/** Of the first error; a description is shorter. */
const LONGEST_ERROR = 1 << 16;

/** Splits the driver's lines into results and errors, and counts; keeps none of them. */
export class OutcomeReader {
  readonly #total: number;
  readonly #sink: OutcomeSink;
  readonly #successes: SuccessLines | undefined;
  /** Of the line that is being read; 0 where the next byte begins one. */
  #kind = 0;
  #index = 0;
  #failed = 0;
  #missing = 0;
  #first: { readonly index: number; bytes: Uint8Array } | undefined;
  #results: Uint8Array[] = [];
  #errors: Uint8Array[] = [];

  constructor(total: number, sink: OutcomeSink, successes?: SuccessLines) {
    this.#total = total;
    this.#sink = sink;
    this.#successes = successes;
  }

  /** Whether nothing has come yet. */
  get isUntouched(): boolean {
    return this.#index === 0 && this.#kind === 0;
  }

  /** Whether every task's line has come. */
  get isComplete(): boolean {
    return this.#index === this.#total;
  }

  push(bytes: Uint8Array): void {
    const room = this.#successes ? undefined : new Uint8Array(bytes.length);
    for (let at = 0; at < bytes.length && !this.isComplete;) {
      if (this.#kind === 0) {
        const next = room ? this.#passValues(bytes, { from: at, room }) : at;
        if (next > at) {
          at = next;
          continue;
        }
        this.#begin(bytes[at++] ?? 0);
      }
      const newline = bytes.indexOf(NEWLINE, at);
      const end = newline < 0 ? bytes.length : newline + 1;
      this.#pass(bytes.subarray(at, end));
      if (newline >= 0) this.#end();
      at = end;
    }
    if (this.#results.length > 0) this.#sink.results(concatBytes(this.#results));
    if (this.#errors.length > 0) this.#sink.errors(concatBytes(this.#errors));
    [this.#results, this.#errors] = [[], []];
  }

  /** @throws {GridError} `ray` if a task has no outcome */
  outcome(): BatchOutcome {
    const missing = this.#missing + this.#total - this.#index;
    if (missing > 0) {
      throw new GridError({
        code: "ray",
        message: `Cannot collect the results: ${missing} of ${this.#total} are missing`,
        hint: "Run the step again; finished items are kept",
      });
    }
    return {
      total: this.#total,
      failed: this.#failed,
      firstFailure: this.#first &&
        { index: this.#first.index, error: errorText(this.#first.bytes) },
    };
  }

  /** Whole lines of values in one piece: most lists have nothing else. @returns where they end in `bytes` */
  #passValues(
    bytes: Uint8Array,
    { from, room }: { readonly from: number; readonly room: Uint8Array },
  ): number {
    let [at, size] = [from, from];
    while (bytes[at] === VALUE && !this.isComplete) {
      const end = bytes.indexOf(NEWLINE, at) + 1;
      if (end === 0) break;
      // A call costs more than to copy a few bytes.
      if (end - at > SHORT_LINE) room.set(bytes.subarray(at + 1, end), size);
      else for (let copied = at + 1; copied < end; copied++) room[size++] = bytes[copied] ?? 0;
      if (end - at > SHORT_LINE) size += end - at - 1;
      this.#index++;
      at = end;
    }
    if (size > from) this.#results.push(room.subarray(from, size));
    return at;
  }

  #begin(kind: number): void {
    this.#kind = kind;
    if (kind === VALUE) this.#successes?.begin(this.#index);
    if (kind !== ERROR) return;
    this.#failed++;
    this.#first ??= { index: this.#index, bytes: new Uint8Array() };
    this.#errors.push(ENCODER.encode(`{"index":${this.#index},"error":`));
  }

  /** A part of the line, with its end where that has come. */
  #pass(part: Uint8Array): void {
    if (this.#kind === VALUE) {
      this.#results.push(part);
      this.#successes?.push(part);
    }
    if (this.#kind !== ERROR) return;
    const text = part.at(-1) === NEWLINE ? part.subarray(0, -1) : part;
    this.#errors.push(text);
    const first = this.#first;
    if (first?.index === this.#index && first.bytes.length + text.length < LONGEST_ERROR) {
      first.bytes = concatBytes([first.bytes, text]);
    }
  }

  #end(): void {
    if (this.#kind !== VALUE) this.#results.push(NULL_LINE);
    if (this.#kind === ERROR) this.#errors.push(ENCODER.encode("}\n"));
    else if (this.#kind !== VALUE) this.#missing++;
    this.#kind = 0;
    this.#index++;
  }
}

function errorText(json: Uint8Array): string {
  try {
    return String(JSON.parse(new TextDecoder().decode(json)));
  } catch {
    return "its words cannot be read";
  }
}

/** Successes as lines of a results file, for a driver on another node; in memory, so not without end. */
export class SuccessLines {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  begin(index: number): void {
    this.push(ENCODER.encode(`{"item": "", "index": ${index}, "ok": true, "value": `));
  }

  push(part: Uint8Array): void {
    if (this.#bytes > LARGEST_KNOWN) return;
    this.#bytes += part.length + 1;
    if (this.#bytes > LARGEST_KNOWN) this.#parts = [];
    else if (part.at(-1) === NEWLINE) this.#parts.push(part.slice(0, -1), LINE_END);
    else this.#parts.push(part.slice());
  }

  get bytes(): Uint8Array {
    return concatBytes(this.#parts);
  }
}

const LARGEST_KNOWN = 64 << 20;
const LINE_END = ENCODER.encode("}\n");

export interface HandOverPlace {
  readonly transport: Transport;
  /** Comes first on its PATH. */
  readonly pathPrefix: string;
  /** The results file. */
  readonly results: string;
  readonly total: number;
  readonly signal: AbortSignal;
}

export function handOverScript(): string {
  return nodeProgram("./hand_over.sh", import.meta.url);
}

/** The program that streams the outcomes from the node, whatever their size: it waits until it is told to. */
export class HandOver implements AsyncDisposable {
  readonly #place: HandOverPlace;
  readonly #channel: Channel;
  readonly #greeting: Greeting;

  private constructor(place: HandOverPlace, channel: Channel, greeting: Greeting) {
    this.#place = place;
    this.#channel = channel;
    this.#greeting = greeting;
  }

  static async open(place: HandOverPlace): Promise<HandOver> {
    const { transport, pathPrefix, results, total, signal } = place;
    const greeting = new Greeting();
    const script = `${greeting.ending}PATH=${quote(pathPrefix)}:$PATH\n${handOverScript()}`;
    const words = quoteAll(["sh", "-c", script, "grid", results, String(total), handOverSource()]);
    return new HandOver(place, await transport.open(words, { signal }), greeting);
  }

  /** @param isDone asked once all has come: whether the next run of this work starts from nothing */
  async read(reader: OutcomeReader, isDone: () => Promise<boolean>): Promise<void> {
    const channel = this.#channel;
    const errors = new Response(channel.stderr).text();
    const stdin = channel.stdin.getWriter();
    // Where it has died, its end tells.
    const tell = (word: string) => stdin.write(ENCODER.encode(word)).catch(() => {});
    const conclude = async () => {
      if (await isDone()) await tell("done\n");
      await stdin.close().catch(() => {});
    };
    await tell("go\n");
    if (reader.isComplete) await conclude(); // nothing will come
    for await (const chunk of channel.stdout) {
      const wasComplete = reader.isComplete;
      reader.push(this.#greeting.past(chunk));
      if (wasComplete || !reader.isComplete) continue;
      await conclude();
    }
    const exit = await channel.exit;
    const said = (await errors).trim();
    if (exit.kind === "code" && exit.code === 0 && reader.isComplete) return;
    throw new GridError({
      code: "ray",
      message: `Cannot read the results ${this.#place.results}: ${
        said.split("\n").at(-1) || "they are cut short"
      }`,
      node: this.#place.transport.endpoint.name,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#channel[Symbol.asyncDispose]();
  }
}
