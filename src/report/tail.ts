import { join } from "node:path";
import type { RunState } from "../engine/reduce.ts";

/** Enough for the last lines of any sane log, little enough for thousands of logs. */
const TAIL_BYTES = 32 * 1024;
const TAIL_LINES = 30;
const LONGEST_LINE = 1000;

/** The last `count` lines of a file; none where it cannot be read. */
export async function lastLines(path: string, count: number): Promise<readonly string[]> {
  return linesOf(await lastBytes(path), count);
}

function linesOf(bytes: Uint8Array, count: number): readonly string[] {
  const lines = new TextDecoder().decode(bytes).replace(/\n$/, "").split("\n");
  // What stands before the first newline may be half a line.
  const whole = bytes.length === TAIL_BYTES && lines.length > 1 ? lines.slice(1) : lines;
  if (whole.length === 1 && whole[0] === "") return [];
  return whole.slice(-count).map(asShown).map((line) =>
    line.length > LONGEST_LINE ? `${line.slice(0, LONGEST_LINE)}…` : line
  );
}

/** Progress bars write over their line after a `\r`; only the last writing counts. */
function asShown(line: string): string {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  return text.slice(text.lastIndexOf("\r") + 1);
}

async function lastBytes(path: string): Promise<Uint8Array> {
  try {
    using file = await Deno.open(path);
    const { size } = await file.stat();
    await file.seek(Math.max(0, size - TAIL_BYTES), Deno.SeekMode.Start);
    const bytes = new Uint8Array(Math.min(size, TAIL_BYTES));
    const read = await file.read(bytes);
    return bytes.subarray(0, read ?? 0);
  } catch (error) {
    if (error instanceof Error && "code" in error) return new Uint8Array();
    throw error;
  }
}

export interface TailsOptions {
  /** Absolute folder of the run. */
  readonly folder: string;
  /** Path relative to it of what an attempt printed. */
  readonly logOf: (step: string, attempt: number) => string | null;
  /** All that an attempt printed, where that is little and at hand. */
  readonly keptLog?: (step: string, attempt: number) => Uint8Array | undefined;
}

/** The last lines of every step that went wrong, by step. */
export async function readTails(
  { steps }: RunState,
  { folder, logOf, keptLog }: TailsOptions,
): Promise<ReadonlyMap<string, readonly string[]>> {
  const tails = new Map<string, readonly string[]>();
  for (const { id, failure, attempts } of steps.values()) {
    if (failure === undefined) continue;
    const last = attempts.at(-1);
    const log = last && logOf(id, last.attempt);
    if (typeof log !== "string") continue;
    const kept = keptLog?.(id, last?.attempt ?? 0);
    tails.set(
      id,
      kept ? linesOf(kept, TAIL_LINES) : await lastLines(join(folder, log), TAIL_LINES),
    );
  }
  return tails;
}
