/** Splits what the driver says to Grid from what the tasks print. */
import { parseJson } from "../core/exact_json.ts";
import { concatBytes } from "../core/bytes.ts";
import type { BatchProgress } from "./batch.ts";

export interface DriverSays {
  readonly done?: number;
  readonly failed?: number;
  readonly total?: number;
  readonly per_second?: number;
  readonly left_seconds?: number;
  /** By node and GPU. */
  readonly busy_seconds?: Readonly<Record<string, number>>;
  readonly problem?: string;
  readonly hint?: string | null;
  /** All outcomes, where Grid cannot read files of the head: a file among Ray's logs of a node. */
  readonly results?: {
    readonly file: string;
    readonly node: string;
    readonly bytes: number;
    /** The same file on the head. */
    readonly path?: string;
  };
}

/** How far the batch is; undefined where the driver speaks of something else. */
export function progressOf(said: DriverSays): BatchProgress | undefined {
  const { done, failed, total, per_second, left_seconds, busy_seconds } = said;
  if (done === undefined || failed === undefined || total === undefined) return undefined;
  const busy = Object.entries(busy_seconds ?? {})
    .map(([gpu, seconds]) => [gpu, Math.round(Number(seconds) * 1000)] as const);
  return {
    done,
    failed,
    total,
    // Digits beyond these say nothing.
    ...(per_second !== undefined && { perSecond: Number(Number(per_second).toPrecision(3)) }),
    ...(left_seconds !== undefined && { leftMs: Math.round(Number(left_seconds) * 1000) }),
    ...(busy.length > 0 && { busyMs: Object.fromEntries(busy) }),
  };
}

const NEWLINE = 10;

/** Everything from a mark to the end of its line is the driver's; all other bytes pass unchanged. */
export class DriverOutput {
  readonly #mark: Uint8Array;
  readonly #hear: (said: DriverSays) => void;
  /** The start of a mark or of a marked line whose rest has not come yet. */
  #held: Uint8Array = new Uint8Array();

  constructor(mark: string, hear: (said: DriverSays) => void) {
    this.#mark = new TextEncoder().encode(mark);
    this.#hear = hear;
  }

  /** The bytes that belong to the tasks. */
  push(bytes: Uint8Array): Uint8Array {
    let rest = concatBytes([this.#held, bytes]);
    const passed: Uint8Array[] = [];
    for (;;) {
      const at = indexOf(rest, this.#mark);
      if (at < 0) break;
      const end = rest.indexOf(NEWLINE, at);
      if (end < 0) return this.#hold(rest, at, passed);
      passed.push(rest.subarray(0, at));
      this.#hear(parse(rest.subarray(at + this.#mark.length, end)));
      rest = rest.subarray(end + 1);
    }
    return this.#hold(rest, rest.length - overlap(rest, this.#mark), passed);
  }

  /** What was held back and turned out to be no message. */
  end(): Uint8Array {
    const rest = this.#held;
    this.#held = new Uint8Array();
    return rest;
  }

  #hold(rest: Uint8Array, from: number, passed: Uint8Array[]): Uint8Array {
    this.#held = rest.slice(from);
    return concatBytes([...passed, rest.subarray(0, from)]);
  }
}

/** The driver writes each message in one piece; a broken one says nothing. */
function parse(line: Uint8Array): DriverSays {
  try {
    return parseJson(new TextDecoder().decode(line)) as DriverSays;
  } catch {
    return {};
  }
}

function indexOf(bytes: Uint8Array, mark: Uint8Array): number {
  const first = mark[0] ?? 0;
  for (let at = bytes.indexOf(first); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (startsWith(bytes.subarray(at), mark)) return at;
  }
  return -1;
}

/** Length of the longest end of `bytes` that is the start of the mark. */
function overlap(bytes: Uint8Array, mark: Uint8Array): number {
  for (let length = Math.min(bytes.length, mark.length - 1); length > 0; length--) {
    if (startsWith(mark, bytes.subarray(bytes.length - length))) return length;
  }
  return 0;
}

function startsWith(bytes: Uint8Array, prefix: Uint8Array): boolean {
  return bytes.length >= prefix.length && prefix.every((byte, index) => bytes[index] === byte);
}
