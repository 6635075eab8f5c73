/** Manifests that nodes hold, kept here by digest so that they need not travel back. */
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { writeCacheFile } from "./cache_file.ts";
import { type Manifest, type ManifestText, readManifest } from "./manifest.ts";

/** Nodes of one cluster mostly hold the same one. */
const KEPT = 20;
const BLOCK_CHARS = 2 ** 20;

/** Undefined where it is not known here, or was damaged. */
export function recallManifest(folder: string, digest: string): Manifest | undefined {
  try {
    return readManifest(readFileSync(fileOf(folder, digest), "utf8"), digest);
  } catch {
    return undefined;
  }
}

export function rememberManifest(folder: string, manifest: ManifestText): void {
  writeCacheFile(fileOf(folder, manifest.digest), inBlocks(manifest.pieces()));
  forgetOldest(folder);
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
    return { path, at: Deno.statSync(path).mtime?.getTime() ?? 0 };
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
