/**
 * The folders of runs: reports, events and logs. What the database knows of a run stays, so that
 * `grid runs`, `grid show` and the totals of `grid metrics` do not change when a folder goes.
 */
import { join } from "node:path";

const DAY_MS = 86_400_000;

/** What is kept where nobody said anything else. */
export const RETENTION: Retention = { keep: 50, olderMs: 30 * DAY_MS };

export interface Retention {
  /** The newest so many stay, whatever their age; undefined for none. */
  readonly keep: number | undefined;
  /** Younger ones stay, however many; undefined for none. */
  readonly olderMs: number | undefined;
}

export interface OldRuns {
  readonly runs: readonly string[];
  readonly bytes: number;
}

export interface RunsToKeep extends Retention {
  readonly now: number;
  /** A run that somebody is at is never touched. */
  isAlive(run: string): boolean;
}

/** Runs whose folders may go, oldest first; `folder` is `.grid/runs`. */
export function findOldRuns(folder: string, options: RunsToKeep): readonly string[] {
  const { keep = 0, olderMs = 0, now } = options;
  const runs = namesIn(folder).filter((name) => startOf(name) !== undefined).toSorted();
  return runs.slice(0, Math.max(0, runs.length - keep))
    .filter((run) => now - (startOf(run) ?? now) >= olderMs)
    .filter((run) => !options.isAlive(run));
}

/** Removes them and says how many bytes that were. */
export function removeRuns(folder: string, runs: readonly string[]): OldRuns {
  let bytes = 0;
  for (const run of runs) {
    bytes += folderBytes(join(folder, run));
    Deno.removeSync(join(folder, run), { recursive: true });
  }
  return { runs, bytes };
}

/** Bytes of all files below a folder; 0 where it is not there. Links are not followed. */
export function folderBytes(folder: string): number {
  let bytes = 0;
  for (const { name, isDirectory } of entriesOf(folder)) {
    const path = join(folder, name);
    if (isDirectory) bytes += folderBytes(path);
    else {
      try {
        bytes += Deno.lstatSync(path).size;
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error; // it went meanwhile
      }
    }
  }
  return bytes;
}

/** When a run began, by its name: `20260131-142530-x7k2`, in UTC. */
export function startOf(run: string): number | undefined {
  const parts = /^(\d{4})(\d\d)(\d\d)-(\d\d)(\d\d)(\d\d)-[a-z0-9]+$/.exec(run);
  if (parts === null) return undefined;
  const [year = 0, month = 0, ...rest] = parts.slice(1).map(Number);
  const time = Date.UTC(year, month - 1, ...rest);
  return Number.isNaN(time) ? undefined : time;
}

function namesIn(folder: string): string[] {
  return entriesOf(folder).filter(({ isDirectory }) => isDirectory).map(({ name }) => name);
}

function entriesOf(folder: string): readonly Deno.DirEntry[] {
  try {
    return [...Deno.readDirSync(folder)];
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
