/**
 * A folder beside the place of what arrives, so that a rename is all that is left to do. A fetch that
 * was killed leaves its own behind; the next one sees that nobody holds its lock, and clears it away.
 */
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { systemClock } from "../core/clock.ts";
import { randomWord } from "../core/ids.ts";

const PREFIX = ".grid-fetch-";
const LOCK = "lock";
/** Between the making of the folder and its lock lie some milliseconds. */
const UNLOCKED_MS = 60_000;

export interface Staging extends AsyncDisposable {
  /** Absolute. */
  readonly folder: string;
}

export async function openStaging(to: string): Promise<Staging> {
  await clearDead(to);
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
  return {
    folder,
    async [Symbol.asyncDispose]() {
      await rm(outer, { recursive: true, force: true });
      lock.close();
    },
  };
}

async function clearDead(to: string): Promise<void> {
  for (const name of await readdir(to)) {
    if (!name.startsWith(PREFIX)) continue;
    const folder = join(to, name);
    if (await isDead(folder)) await rm(folder, { recursive: true, force: true });
  }
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
