import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { changedAtMs, readState } from "../../../src/sync/file_state.ts";
import { openHashCache } from "../../../src/sync/hash_cache.ts";
import { type TempDir, tempDir } from "../../support/temp_dir.ts";

const LATER_MS = 60_000;

function statOf(folder: TempDir, text: string) {
  const path = join(folder.path, "file");
  Deno.writeTextFileSync(path, text);
  const state = readState(path);
  assert.ok(state);
  return state;
}

function open(folder: TempDir, nowMs: number) {
  return openHashCache({ folder: join(folder.path, "cache"), source: "/source", nowMs });
}

Deno.test("openHashCache() remembers a file that stayed as it was", () => {
  using folder = tempDir();
  const stat = statOf(folder, "a");
  const first = open(folder, changedAtMs(stat) + LATER_MS);
  assert.equal(first.get("file", stat), undefined);
  first.set("file", stat, "sha256:1");
  first.save();
  assert.equal(open(folder, changedAtMs(stat) + LATER_MS).get("file", stat), "sha256:1");
});

Deno.test("openHashCache() distrusts a file that was young when it was read", () => {
  using folder = tempDir();
  const stat = statOf(folder, "a");
  // Less than the two seconds that a coarse clock may lump together.
  const first = open(folder, changedAtMs(stat) + 1500);
  first.set("file", stat, "sha256:1");
  first.save();
  assert.equal(open(folder, changedAtMs(stat) + LATER_MS).get("file", stat), undefined);
});

Deno.test("openHashCache() asks again when anything about the file differs", () => {
  using folder = tempDir();
  const stat = statOf(folder, "a");
  const first = open(folder, changedAtMs(stat) + LATER_MS);
  first.set("file", stat, "sha256:1");
  first.save();
  const differences = [
    { size: stat.size + 1 },
    { mtimeMs: stat.mtimeMs - 1 },
    { ctimeMs: stat.ctimeMs + 1000 },
    { ino: stat.ino! + 1 },
    { dev: stat.dev + 1 },
    { mode: stat.mode! ^ 0o100 },
  ];
  for (const difference of differences) {
    const changed = { ...stat, ...difference };
    assert.equal(open(folder, changedAtMs(stat) + LATER_MS).get("file", changed), undefined);
  }
});

Deno.test("openHashCache() ignores a damaged file and writes it anew", () => {
  using folder = tempDir();
  const stat = statOf(folder, "a");
  const first = open(folder, changedAtMs(stat) + LATER_MS);
  first.set("file", stat, "sha256:1");
  first.save();
  const [entry] = [...Deno.readDirSync(join(folder.path, "cache"))];
  const path = join(folder.path, "cache", entry!.name);
  const text = Deno.readTextFileSync(path);
  for (const broken of ["", "nonsense", text.slice(0, -3), text.replace("sha256:1", "sha256:2")]) {
    Deno.writeTextFileSync(path, broken);
    const cache = open(folder, changedAtMs(stat) + LATER_MS);
    assert.equal(cache.get("file", stat), undefined);
    cache.set("file", stat, "sha256:3");
    cache.save();
    assert.equal(open(folder, changedAtMs(stat) + LATER_MS).get("file", stat), "sha256:3");
  }
});

Deno.test("openHashCache() forgets files that nobody asked about", () => {
  using folder = tempDir();
  const stat = statOf(folder, "a");
  const first = open(folder, changedAtMs(stat) + LATER_MS);
  first.set("file", stat, "sha256:1");
  first.set("gone", stat, "sha256:2");
  first.save();
  const second = open(folder, changedAtMs(stat) + LATER_MS);
  second.get("file", stat);
  second.save();
  assert.equal(open(folder, changedAtMs(stat) + LATER_MS).get("gone", stat), undefined);
});

Deno.test("openHashCache() knows what it was told, whatever is asked for in whatever order", () => {
  const paths = fc.constantFrom("a", "a/b", "a-b", "b", "m", "z", "zz/y");
  const session = fc.array(fc.record({ path: paths, sets: fc.boolean() }), { maxLength: 12 });
  fc.assert(fc.property(fc.array(session, { maxLength: 5 }), (sessions) => {
    using folder = tempDir();
    const stat = statOf(folder, "a");
    let known = new Map<string, string>();
    for (const [number, asks] of sessions.entries()) {
      const cache = open(folder, changedAtMs(stat) + LATER_MS);
      const next = new Map<string, string>();
      for (const { path, sets } of asks) {
        if (sets) {
          cache.set(path, stat, `sha256:${number}`);
          next.set(path, `sha256:${number}`);
        } else {
          const wanted = next.get(path) ?? known.get(path);
          assert.equal(cache.get(path, stat), wanted);
          if (wanted !== undefined) next.set(path, wanted);
        }
      }
      cache.save();
      known = next;
    }
  }));
});
