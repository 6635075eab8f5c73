/** A folder that is synced again and again, by what is known of it and by a walk: both must find the same. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import { KnownSource } from "../../src/sync/known_source.ts";
import { Source } from "../../src/sync/source.ts";
import type { SyncOptions } from "../../src/sync/sync.ts";
import { findSource, walkForSync } from "../../src/sync/walk_for_sync.ts";
import { writeFiles } from "./sync_rig.ts";
import { tempDir } from "./temp_dir.ts";

/** No file is young then. */
export const LATER_MS = 60_000;

export interface SourceRig extends Disposable {
  readonly options: SyncOptions;
  write(files: Readonly<Record<string, string | undefined>>): void;
  /** @returns how it was found: known as it was, with files to read again, or looked at as a whole */
  look(given?: Partial<SyncOptions>, laterMs?: number): Promise<"same" | "partly" | "walked">;
}

export function startSourceRig(): SourceRig {
  const folder = tempDir();
  const source = join(folder.path, "outer", "source");
  Deno.mkdirSync(source, { recursive: true });
  const options: SyncOptions = {
    source,
    as: "app",
    exclude: ["*.pyc"],
    excludeFrom: undefined,
    useChecksums: true,
    followSymlinks: false,
    delete: true,
    maxParallelTransfers: 1,
    cacheFolder: join(folder.path, "cache"),
    worthKnowing: 0,
    signal: AbortSignal.timeout(60_000),
  };
  let ticks = 0;
  return {
    options,
    write(files) {
      writeFiles(source, files);
      // Each change shows, however coarse the clock of the file system is.
      for (const [path, text] of Object.entries(files)) {
        const time = 1_700_000_000 + ++ticks;
        if (text !== undefined) Deno.utimeSync(join(source, path), time, time);
      }
    },
    async look(given = {}, laterMs = LATER_MS) {
      const all = { ...options, ...given };
      const look = await findSource(all, [], systemClock.now() + laterMs);
      using found = new Source(look, all);
      const hashed = await found.hashed();
      const leaves = hashed.entries.filter((entry) => entry.type !== "folder").length;
      assert.equal(found.leaves, leaves);
      const apart = { ...all, cacheFolder: join(folder.path, "other") };
      using walked = new Source(await walkForSync(apart, []), apart);
      const right = await walked.hashed();
      assert.deepEqual(
        hashed.entries.map(({ state, ...entry }) => ({ ...entry, size: state.size && entry.size })),
        right.entries.map(({ state, ...entry }) => ({ ...entry, size: state.size && entry.size })),
      );
      assert.equal(hashed.digest, right.digest);
      await found.save();
      await walked.save();
      if (!(look instanceof KnownSource)) return "walked";
      return look.digest === undefined ? "partly" : "same";
    },
    [Symbol.dispose]: () => folder[Symbol.dispose](),
  };
}
