import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { changedAtMs, type FileState, readState } from "../../../src/sync/file_state.ts";
import type { SourceEntry } from "../../../src/sync/hash.ts";
import { HashCache } from "../../../src/sync/hash_cache.ts";
import { type TempDir, tempDir } from "../../support/temp_dir.ts";

const LATER_MS = 60_000;

function stateOf(folder: TempDir, text: string): FileState {
  const path = join(folder.path, "file");
  Deno.writeTextFileSync(path, text);
  const state = readState(path);
  assert.ok(state);
  return state;
}

function entryOf(path: string, state: FileState): SourceEntry {
  return { path, type: "file", executable: false, size: state.size, content: "", state };
}

interface Session {
  readonly folder: TempDir;
  readonly nowMs: number;
  /** What is read of those that were not known. */
  readonly read?: string;
}

/** One look at files of these names: what each was known as, `""` for unknown. */
function look(
  files: Readonly<Record<string, FileState>>,
  { folder, nowMs, read }: Session,
): string[] {
  const entries = Object.entries(files).map(([path, state]) => entryOf(path, state));
  const cache = new HashCache(entries, {
    folder: join(folder.path, "cache"),
    source: "/source",
    nowMs,
  });
  const known = entries.map((entry) => entry.content);
  if (read !== undefined) { for (const entry of entries) entry.content ||= read; }
  cache.save();
  return known;
}

Deno.test("HashCache remembers a file that stayed as it was", () => {
  using folder = tempDir();
  const file = stateOf(folder, "a");
  const nowMs = changedAtMs(file) + LATER_MS;
  assert.deepEqual(look({ file }, { folder, nowMs, read: "sha256:1" }), [""]);
  assert.deepEqual(look({ file }, { folder, nowMs }), ["sha256:1"]);
});

Deno.test("HashCache distrusts a file that was young when it was read", () => {
  using folder = tempDir();
  const file = stateOf(folder, "a");
  // Less than the two seconds that a coarse clock may lump together.
  look({ file }, { folder, nowMs: changedAtMs(file) + 1500, read: "sha256:1" });
  assert.deepEqual(look({ file }, { folder, nowMs: changedAtMs(file) + LATER_MS }), [""]);
});

Deno.test("HashCache keeps what it knew when the clock was set back", () => {
  using folder = tempDir();
  const file = stateOf(folder, "a");
  const nowMs = changedAtMs(file) + LATER_MS;
  look({ file }, { folder, nowMs, read: "sha256:1" });
  const before = { folder, nowMs: changedAtMs(file) - LATER_MS, read: "sha256:2" };
  assert.deepEqual(look({ file, other: file }, before), ["sha256:1", ""]);
  assert.deepEqual(look({ file, other: file }, { folder, nowMs }), ["sha256:1", ""]);
});

Deno.test("HashCache asks again when anything about the file differs", () => {
  using folder = tempDir();
  const file = stateOf(folder, "a");
  const nowMs = changedAtMs(file) + LATER_MS;
  const differences: readonly Partial<FileState>[] = [
    { size: file.size + 1 },
    { mtimeMs: file.mtimeMs - 1 },
    { ctimeMs: file.ctimeMs - 1000 },
    { ino: file.ino + 1 },
    { dev: file.dev + 1 },
    { mode: file.mode ^ 0o100 },
  ];
  for (const difference of differences) {
    look({ file }, { folder, nowMs, read: "sha256:1" });
    assert.deepEqual(look({ file: { ...file, ...difference } }, { folder, nowMs }), [""]);
  }
});

Deno.test("HashCache ignores a damaged file and writes it anew", () => {
  using folder = tempDir();
  const file = stateOf(folder, "a");
  const nowMs = changedAtMs(file) + LATER_MS;
  look({ file }, { folder, nowMs, read: "sha256:1" });
  const [entry] = [...Deno.readDirSync(join(folder.path, "cache"))];
  const path = join(folder.path, "cache", entry!.name);
  const text = Deno.readTextFileSync(path);
  const damages = [
    "",
    "nonsense",
    text.slice(0, -3),
    text.slice(0, -70),
    text.replace("sha256:1", "sha256:2"),
    text.replace("cache 4", "cache 3"),
    `${text}more`,
  ];
  for (const broken of damages) {
    Deno.writeTextFileSync(path, broken);
    assert.deepEqual(look({ file }, { folder, nowMs, read: "sha256:3" }), [""], broken);
    assert.deepEqual(look({ file }, { folder, nowMs }), ["sha256:3"]);
  }
});

Deno.test("HashCache forgets files that are not there any more, and what is doubted", () => {
  using folder = tempDir();
  const file = stateOf(folder, "a");
  const nowMs = changedAtMs(file) + LATER_MS;
  look({ doubted: file, file, gone: file }, { folder, nowMs, read: "sha256:1" });
  const entries = ["doubted", "file"].map((path) => entryOf(path, file));
  const cache = new HashCache(entries, {
    folder: join(folder.path, "cache"),
    source: "/source",
    nowMs,
  });
  cache.doubt(0);
  cache.save();
  const known = look({ doubted: file, file, gone: file }, { folder, nowMs });
  assert.deepEqual(known, ["", "sha256:1", ""]);
});

Deno.test("HashCache knows what it was told, of however many files of whatever names", () => {
  // Long ones, so that rows lie across the pieces in which they are read.
  const long = fc.constantFrom("é", "x", "𝄞").map((text) => text.repeat(60_000));
  const path = fc.oneof(fc.constantFrom("a", "a/b", "a-b", "b", "m", "z", "zz/y"), long);
  const session = fc.uniqueArray(path, { maxLength: 8 });
  fc.assert(
    fc.property(fc.array(session, { maxLength: 5 }), (sessions) => {
      using folder = tempDir();
      const state = stateOf(folder, "a");
      const nowMs = changedAtMs(state) + LATER_MS;
      let known = new Map<string, string>();
      for (const [number, names] of sessions.entries()) {
        const sorted = names.toSorted((a, b) => a < b ? -1 : 1);
        const files = Object.fromEntries(sorted.map((name) => [name, state]));
        const read = `sha256:${number}`;
        const told = look(files, { folder, nowMs, read });
        assert.deepEqual(told, sorted.map((name) => known.get(name) ?? ""));
        known = new Map(sorted.map((name) => [name, known.get(name) ?? read]));
      }
    }),
    { numRuns: 40 },
  );
});
