/**
 * A folder beside the place of what arrives, so that a rename is all that is left to do. A fetch that
 * was killed leaves its own behind; the next one sees that nobody holds its lock, uses what came of its
 * files, and clears it away. What a broken link left goes to a folder of its own for as long.
 */
import { copyFile, lstat, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { systemClock } from "../core/clock.ts";
import { randomWord } from "../core/ids.ts";

const PREFIX = ".grid-fetch-";
const LOCK = "lock";
/** Between the making of the folder and its lock lie some milliseconds. */
const UNLOCKED_MS = 60_000;

/** Longer than this nobody waits with trying again. */
const KEPT_MS = 7 * 24 * 60 * 60 * 1000;

export interface Staging extends AsyncDisposable {
  /** Absolute. */
  readonly folder: string;
  /** Moves in what an earlier try left of a file; how many bytes that are, 0 for none. */
  recover(path: string): Promise<number>;
  /** What is there when it is disposed of is left for the next try. */
  keep(): void;
}

/** @param kept absolute folder for what a try that fails leaves; undefined: nothing is left */
export async function openStaging(to: string, kept?: string): Promise<Staging> {
  const dead = await deadIn(to);
  const earlier = [...dead.map((folder) => join(folder, "tree")), ...(kept ? [kept] : [])];
  const outer = join(to, `${PREFIX}${randomWord(12)}`);
  const folder = join(outer, "tree");
  await mkdir(outer, { mode: 0o700 });
  await mkdir(folder);
  const fresh = join(outer, ".lock");
  const lock = await Deno.open(fresh, { write: true, create: true });
  try {
    await lock.lock(true);
    // Seen by others only once it is held.
    await rename(fresh, join(outer, LOCK));
  } catch (error) {
    lock.close();
    throw error;
  }
  let isKept = false;
  return {
    folder,
    async recover(path) {
      for (const from of earlier) {
        const found = await lstat(join(from, path)).catch(() => undefined);
        if (!found?.isFile() || found.size === 0) continue;
        await mkdir(dirname(join(folder, path)), { recursive: true });
        if (await move(join(from, path), join(folder, path))) return found.size;
      }
      return 0;
    },
    keep: () => void (isKept = true),
    async [Symbol.asyncDispose]() {
      if (kept !== undefined) await leave(isKept ? folder : undefined, kept);
      for (const gone of [...dead, outer]) await rm(gone, { recursive: true, force: true });
      lock.close();
    },
  };
}

async function move(from: string, to: string): Promise<boolean> {
  try {
    // Another file system may lie between the project and the place of what is fetched.
    await rename(from, to).catch(() => copyFile(from, to));
    return true;
  } catch {
    return false; // another fetch of the same took it
  }
}

/** Across file systems a copy would cost more than it saves: then it is left out. */
async function leave(folder: string | undefined, kept: string): Promise<void> {
  await rm(kept, { recursive: true, force: true });
  const all = dirname(kept);
  for (const name of await readdir(all).catch(() => [])) {
    const found = await stat(join(all, name)).catch(() => undefined);
    const isOld = found !== undefined && systemClock.now() - found.mtimeMs > KEPT_MS;
    if (isOld) await rm(join(all, name), { recursive: true, force: true });
  }
  if (folder === undefined) return;
  await mkdir(all, { recursive: true, mode: 0o700 });
  await rename(folder, kept).catch(() => {});
}

/** What fetches that were killed left here. */
async function deadIn(to: string): Promise<string[]> {
  const dead: string[] = [];
  for (const name of await readdir(to)) {
    if (name.startsWith(PREFIX) && await isDead(join(to, name))) dead.push(join(to, name));
  }
  return dead;
}

async function isDead(folder: string): Promise<boolean> {
  try {
    using lock = await Deno.open(join(folder, LOCK), { write: true });
    return await lock.tryLock(true);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) return false;
  }
  const found = await stat(folder).catch(() => undefined);
  return found !== undefined && systemClock.now() - found.mtimeMs > UNLOCKED_MS;
}
