/**
 * When what stands in the logs came: one file for all logs of a run. Its lines are
 * `<milliseconds since 1970> <offset> <name of the log>`: what stands from that byte on came then, or
 * within the second after it.
 */
import { join } from "node:path";
import { PRIVATE_FILE } from "../core/private_modes.ts";
import type { Clock } from "../core/clock.ts";

/** In the folder of the logs; no log is called so, they all have an ending. */
const NAME = "times";
/** Between two notes of one log. A day of a command that prints all the time takes 4 MB. */
const RESOLUTION_MS = 1000;

export interface LogTimesOptions {
  /** Absolute, of the logs; it is there. */
  readonly folder: string;
  readonly clock: Pick<Clock, "now">;
}

/** Never throws: without it the logs are what they are. */
export class LogTimes implements Disposable {
  readonly #options: LogTimesOptions;
  readonly #last = new Map<string, number>();
  #file: Deno.FsFile | undefined;
  #isBroken = false;

  constructor(options: LogTimesOptions) {
    this.#options = options;
  }

  /** Bytes come that will stand at this offset of a log; told before they are written. */
  note(name: string, offset: number): void {
    if (this.#isBroken) return;
    const now = this.#options.clock.now();
    const last = this.#last.get(name);
    // A clock that was set back begins anew.
    if (last !== undefined && now >= last && now - last < RESOLUTION_MS) return;
    this.#last.set(name, now);
    try {
      this.#file ??= Deno.openSync(join(this.#options.folder, NAME), {
        ...{ create: true, append: true },
        mode: PRIVATE_FILE,
      });
      this.#file.writeSync(new TextEncoder().encode(`${now} ${offset} ${name}\n`));
    } catch {
      // A disk without room: the logs themselves say so.
      this.#isBroken = true;
    }
  }

  /** Nothing more comes of this one. */
  forget(name: string): void {
    this.#last.delete(name);
  }

  [Symbol.dispose](): void {
    this.#file?.close();
    this.#file = undefined;
    this.#isBroken = true;
  }
}

export interface LogTime {
  readonly at: number;
  readonly offset: number;
}

/** Of each log, in order; undefined where an older Grid kept none, or nothing was printed yet. */
export function readLogTimes(folder: string): ReadonlyMap<string, readonly LogTime[]> | undefined {
  let text: string;
  try {
    text = Deno.readTextFileSync(join(folder, NAME));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
  const times = new Map<string, LogTime[]>();
  for (const line of text.split("\n")) {
    const [, at, offset, name = ""] = LINE.exec(line) ?? [];
    if (at === undefined) continue;
    const known = times.get(name) ?? [];
    known.push({ at: Number(at), offset: Number(offset) });
    times.set(name, known);
  }
  return times;
}

const LINE = /^(\d{1,15}) (\d{1,15}) (\S.*)$/;

/** Where what came since that moment begins; of the second in which it lies all is taken. */
export function offsetSince(times: readonly LogTime[], since: number): number | undefined {
  return times.find(({ at }) => at > since - RESOLUTION_MS)?.offset;
}

/** When the byte at this offset came. */
export function timeAt(times: readonly LogTime[], offset: number): number | undefined {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((times[middle]?.offset ?? 0) <= offset) low = middle + 1;
    else high = middle;
  }
  return times[low - 1]?.at;
}

/** Bytes of a log from `offset` on, in parts that came together. */
export function* partsByTime(
  bytes: Uint8Array,
  { offset, times }: { readonly offset: number; readonly times: readonly LogTime[] },
): Generator<{ readonly bytes: Uint8Array; readonly at: number | undefined }> {
  let from = 0;
  for (const { offset: next } of times) {
    const to = next - offset;
    if (to <= from) continue;
    if (to >= bytes.length) break;
    yield { bytes: bytes.subarray(from, to), at: timeAt(times, offset + from) };
    from = to;
  }
  if (from < bytes.length) {
    yield { bytes: bytes.subarray(from), at: timeAt(times, offset + from) };
  }
}
