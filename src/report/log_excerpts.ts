/** What the page holds of the logs: the last lines of each attempt, as much as there is room for. */
import { join } from "node:path";
import type { RunDocument, StepDocument } from "./run_document.ts";

/** The last lines of what an attempt printed. */
export interface LogExcerpt {
  readonly lines: readonly string[];
  /** Number of the first of them in the whole log; null where nobody counted. */
  readonly firstLine: number | null;
  /** Bytes of the log that stand before them. */
  readonly skipped: number;
}

/** By step and attempt; undefined where the page has nothing of it. */
export type LogOf = (step: string, attempt: number) => LogExcerpt | undefined;

export interface ExcerptOptions {
  /** Absolute folder of the run. */
  readonly folder: string;
  /** Bytes of all excerpts together. */
  readonly bytes?: number;
  /** The whole log of an attempt where it is at hand. */
  readonly keptLog?: (step: string, attempt: number) => Uint8Array | undefined;
}

const ALL_BYTES = 512 * 1024;
/** Bytes of one: beyond it a log is read with tools for logs. */
const MOST_OF_ONE = 64 * 1024;
/** A shorter excerpt says nothing. */
const LEAST_OF_ONE = 200;
/** Bytes before an excerpt that are read just to count their lines. */
const MOST_COUNTED = 4 * 1024 * 1024;
const LONGEST_LINE = 2000;

interface LogFile {
  readonly step: string;
  readonly attempt: number;
  /** Relative to the run's folder. */
  readonly log: string;
  readonly size: number;
  readonly kept: Uint8Array | undefined;
  readonly isFailed: boolean;
}

/** How much of each log the page has room for. */
export interface ExcerptPlan {
  /** Reads it. */
  readonly of: LogOf;
  /** Whether the page has all of it. */
  isWhole(step: string, attempt: number): boolean;
}

interface Place {
  readonly log: LogFile;
  readonly bytes: number;
  /** The lines before it are counted. */
  readonly isCounted: boolean;
}

/** Failed attempts have the first choice; small logs are whole before large ones get more. */
export function planExcerpts(report: RunDocument, options: ExcerptOptions): ExcerptPlan {
  const logs = logsOf(report, options);
  const all = options.bytes ?? ALL_BYTES;
  const total = logs.reduce((sum, { size }) => sum + size, 0);
  const areWhole = total <= all && logs.every(({ size }) => size <= MOST_OF_ONE);
  let known: ReadonlyMap<string, Place> | undefined;
  const placeOf = (step: string, attempt: number) => {
    known ??= placesOf(logs, all);
    return known.get(keyOf(step, attempt));
  };
  return {
    of: (step, attempt) => {
      const place = placeOf(step, attempt);
      return place && readExcerpt(place, options.folder);
    },
    isWhole: (step, attempt) => {
      if (areWhole) return true;
      const place = placeOf(step, attempt);
      return place !== undefined && place.bytes >= place.log.size;
    },
  };
}

function placesOf(logs: readonly LogFile[], all: number): ReadonlyMap<string, Place> {
  const failed = logs.filter(({ isFailed }) => isFailed);
  const others = logs.filter(({ isFailed }) => !isFailed);
  const first = shares(failed, all);
  const left = all - [...first.values()].reduce((sum, bytes) => sum + bytes, 0);
  let counting = MOST_COUNTED;
  const places = new Map<string, Place>();
  for (const [log, bytes] of [...first, ...shares(others, left)]) {
    const skipped = log.size - bytes;
    const isCounted = skipped <= counting;
    if (isCounted) counting -= skipped;
    places.set(keyOf(log.step, log.attempt), { log, bytes, isCounted });
  }
  return places;
}

/** All that an attempt printed. */
export function wholeExcerpt(log: Uint8Array): LogExcerpt {
  return excerptOf(log, { skip: 0, before: 0 });
}

function logsOf(
  { steps, firstFailure }: RunDocument,
  { folder, keptLog }: ExcerptOptions,
): LogFile[] {
  const logs: LogFile[] = [];
  const add = ({ id, attempts }: StepDocument) => {
    // The last one of a step says most.
    for (let at = attempts.length - 1; at >= 0; at--) {
      const { attempt = 0, log = null, result } = attempts[at] ?? {};
      if (log === null) continue;
      const kept = keptLog?.(id, attempt);
      const size = kept?.length ?? sizeOf(join(folder, log));
      const isFailed = result !== "succeeded" && result !== "running";
      if (size > 0) logs.push({ step: id, attempt, log, size, kept, isFailed });
    }
  };
  const first = steps.find(({ id }) => id === firstFailure);
  if (first) add(first);
  for (const step of steps) if (step !== first) add(step);
  return logs;
}

function sizeOf(path: string): number {
  try {
    return Deno.statSync(path).size;
  } catch {
    // Gone meanwhile, or never written: the disk was full.
    return 0;
  }
}

/** Bytes for each: equal ones, but that what small logs leave goes to the others. */
function shares(logs: readonly LogFile[], bytes: number): ReadonlyMap<LogFile, number> {
  const total = logs.reduce((sum, { size }) => sum + Math.min(size, MOST_OF_ONE), 0);
  if (total <= bytes) return new Map(logs.map((log) => [log, Math.min(log.size, MOST_OF_ONE)]));
  const most = Math.floor(bytes / LEAST_OF_ONE);
  const served = logs.slice(0, most);
  const shares = new Map<LogFile, number>();
  let left = bytes;
  for (const [at, log] of served.toSorted((a, b) => a.size - b.size).entries()) {
    const share = Math.min(log.size, MOST_OF_ONE, Math.floor(left / (served.length - at)));
    shares.set(log, share);
    left -= share;
  }
  return shares;
}

function readExcerpt(
  { log: { log, size, kept }, bytes, isCounted }: Place,
  folder: string,
): LogExcerpt | undefined {
  if (kept && kept.length <= bytes) return wholeExcerpt(kept);
  try {
    using file = Deno.openSync(join(folder, log));
    const skip = Math.max(0, size - bytes);
    if (!isCounted) file.seekSync(skip, Deno.SeekMode.Start);
    const before = isCounted ? countLines(file, skip) : null;
    return excerptOf(readBytes(file, size - skip), { skip, before });
  } catch (error) {
    if (error instanceof Error && "code" in error) return undefined;
    throw error;
  }
}

function readBytes(file: Deno.FsFile, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let at = 0;
  while (at < length) {
    const read = file.readSync(bytes.subarray(at));
    if (read === null) break;
    at += read;
  }
  return bytes.subarray(0, at);
}

const NEWLINE = 10;

function countLines(file: Deno.FsFile, length: number): number {
  if (length === 0) return 0;
  const bytes = readBytes(file, length);
  let count = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0; at = bytes.indexOf(NEWLINE, at + 1)) count++;
  return count;
}

interface Before {
  /** Bytes. */
  readonly skip: number;
  /** Ends of lines in them. */
  readonly before: number | null;
}

const decoder = new TextDecoder();

function excerptOf(bytes: Uint8Array, { skip, before }: Before): LogExcerpt {
  // What stands before the first end of a line may be half a line; one endless line stays.
  const end = skip === 0 ? -1 : bytes.indexOf(NEWLINE);
  const isCut = end >= 0 && end < bytes.length - 1;
  const text = decoder.decode(isCut ? bytes.subarray(end + 1) : bytes);
  const lines = text.replace(/\n$/, "").split("\n").map(asShown);
  return {
    lines,
    firstLine: before === null ? null : before + (isCut ? 2 : 1),
    skipped: isCut ? skip + end + 1 : skip,
  };
}

/** Progress bars write over their line after a `\r`; only the last writing counts. */
function asShown(line: string): string {
  const text = line.endsWith("\r") ? line.slice(0, -1) : line;
  const shown = text.slice(text.lastIndexOf("\r") + 1);
  const more = shown.length - LONGEST_LINE;
  return more > 0 ? `${shown.slice(0, LONGEST_LINE)}… ${more} more characters` : shown;
}

function keyOf(step: string, attempt: number): string {
  return `${attempt} ${step}`;
}
