import assert from "node:assert/strict";
import { lstatSync } from "node:fs";
import { join } from "node:path";
import { openHashCache } from "../../../src/sync/hash_cache.ts";
import { type TempDir, tempDir } from "../../support/temp_dir.ts";

const LATER_NS = 60_000_000_000n;

function statOf(folder: TempDir, text: string) {
  const path = join(folder.path, "file");
  Deno.writeTextFileSync(path, text);
  return lstatSync(path, { bigint: true });
}

function open(folder: TempDir, nowNs: bigint) {
  return openHashCache({ folder: join(folder.path, "cache"), source: "/source", nowNs });
}

Deno.test("openHashCache() remembers a file that stayed as it was", () => {
  using folder = tempDir();
  const stat = statOf(folder, "a");
  const first = open(folder, stat.ctimeNs + LATER_NS);
  assert.equal(first.get("file", stat), undefined);
  first.set("file", stat, "sha256:1");
  first.save();
  assert.equal(open(folder, stat.ctimeNs + LATER_NS).get("file", stat), "sha256:1");
});

Deno.test("openHashCache() distrusts a file that was young when it was read", () => {
  using folder = tempDir();
  const stat = statOf(folder, "a");
  // Less than the two seconds that a coarse clock may lump together.
  const first = open(folder, stat.ctimeNs + 1_000_000_000n);
  first.set("file", stat, "sha256:1");
  first.save();
  assert.equal(open(folder, stat.ctimeNs + LATER_NS).get("file", stat), undefined);
});

Deno.test("openHashCache() asks again when anything about the file differs", () => {
  using folder = tempDir();
  const stat = statOf(folder, "a");
  const first = open(folder, stat.ctimeNs + LATER_NS);
  first.set("file", stat, "sha256:1");
  first.save();
  const differences = [
    { size: stat.size + 1n },
    { mtimeNs: stat.mtimeNs - 1n },
    { ctimeNs: stat.ctimeNs + 1n },
    { ino: stat.ino + 1n },
    { dev: stat.dev + 1n },
    { mode: stat.mode ^ 0o100n },
  ];
  for (const difference of differences) {
    const changed = Object.assign(Object.create(stat), difference);
    assert.equal(open(folder, stat.ctimeNs + LATER_NS).get("file", changed), undefined);
  }
});

Deno.test("openHashCache() ignores a damaged file and writes it anew", () => {
  using folder = tempDir();
  const stat = statOf(folder, "a");
  const first = open(folder, stat.ctimeNs + LATER_NS);
  first.set("file", stat, "sha256:1");
  first.save();
  const [entry] = [...Deno.readDirSync(join(folder.path, "cache"))];
  const path = join(folder.path, "cache", entry!.name);
  const text = Deno.readTextFileSync(path);
  for (const broken of ["", "nonsense", text.slice(0, -3), text.replace("sha256:1", "sha256:2")]) {
    Deno.writeTextFileSync(path, broken);
    const cache = open(folder, stat.ctimeNs + LATER_NS);
    assert.equal(cache.get("file", stat), undefined);
    cache.set("file", stat, "sha256:3");
    cache.save();
    assert.equal(open(folder, stat.ctimeNs + LATER_NS).get("file", stat), "sha256:3");
  }
});

Deno.test("openHashCache() forgets files that nobody asked about", () => {
  using folder = tempDir();
  const stat = statOf(folder, "a");
  const first = open(folder, stat.ctimeNs + LATER_NS);
  first.set("file", stat, "sha256:1");
  first.set("gone", stat, "sha256:2");
  first.save();
  const second = open(folder, stat.ctimeNs + LATER_NS);
  second.get("file", stat);
  second.save();
  assert.equal(open(folder, stat.ctimeNs + LATER_NS).get("gone", stat), undefined);
});
