/** Manifests that nodes hold, kept here by digest so that they need not travel back. */
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { writeCacheFile } from "./cache_file.ts";
import { type Manifest, type ManifestText, readManifest } from "./manifest.ts";

/** Nodes of one cluster mostly hold the same one. */
const KEPT = 20;
const BLOCK_CHARS = 2 ** 20;

/** What is kept is not what it was; it is gone now. */
export class DamagedManifest extends Error {
  override readonly name = "DamagedManifest";
}

/** Undefined where it is not known here. It is read when its list is wanted, which may throw {DamagedManifest}. */
export function recallManifest(folder: string, digest: string): Manifest | undefined {
  const file = fileOf(folder, digest);
  if (!existsSync(file)) return undefined;
  let known: Manifest | undefined;
  return {
    digest,
    get entries() {
      known ??= read(file, digest);
      return known.entries;
    },
  };
}

/** Undefined too where it was damaged. */
export function recallWhole(folder: string, digest: string): Manifest | undefined {
  const manifest = recallManifest(folder, digest);
  try {
    void manifest?.entries;
    return manifest;
  } catch (error) {
    if (!(error instanceof DamagedManifest)) throw error;
    return undefined;
  }
}

function read(file: string, digest: string): Manifest {
  try {
    const manifest = readManifest(readFileSync(file, "utf8"), digest);
    if (manifest !== undefined) return manifest;
  } catch {
    // Another program may have cleared it away.
  }
  rmSync(file, { force: true });
  throw new DamagedManifest(file);
}

export function rememberManifest(folder: string, manifest: ManifestText): void {
  const file = fileOf(folder, manifest.digest);
  if (writeCacheFile(file, inBlocks(manifest.pieces()))) forgetOldest(folder);
}

/** Some of them together: each is a call of the system otherwise. */
function* inBlocks(pieces: Iterable<string>): Generator<string> {
  let block = "";
  for (const piece of pieces) {
    block += piece;
    if (block.length < BLOCK_CHARS) continue;
    yield block;
    block = "";
  }
  yield block;
}

function forgetOldest(folder: string): void {
  const names = readdirSync(folderOf(folder));
  if (names.length <= KEPT) return;
  const aged = names.map((name) => {
    const path = join(folderOf(folder), name);
    // Another program may be clearing away too.
    return { path, at: statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0 };
  });
  const oldest = aged.toSorted((a, b) => a.at - b.at).slice(0, names.length - KEPT);
  for (const { path } of oldest) rmSync(path, { force: true });
}

function folderOf(folder: string): string {
  return join(folder, "manifests");
}

function fileOf(folder: string, digest: string): string {
  return join(folderOf(folder), digest);
}
