import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { join } from "node:path";
import { SyncedFiles } from "../../../src/steps/synced_files.ts";
import { writeFiles } from "../../support/sync_rig.ts";
import { tempDir } from "../../support/temp_dir.ts";

function entry(path: string, text: string) {
  const content = `sha256:${hash("sha256", text)}`;
  return { path, type: "file", executable: false, size: text.length, content } as const;
}

Deno.test("SyncedFiles counts what was synced as it was then, and the rest as it is", () => {
  using temp = tempDir();
  writeFiles(temp.path, { "src/a.py": "1", "src/b.py": "2", "data/x.csv": "3" });
  const files = new SyncedFiles();
  files.add(join(temp.path, "src"), [entry("a.py", "1"), entry("b.py", "2")]);
  const word = () => files.hash(["src/**", "data/*.csv"], temp.path);
  const before = word();
  writeFiles(temp.path, { "src/a.py": "changed", "src/b.py": undefined });
  assert.equal(word(), before);
  writeFiles(temp.path, { "data/x.csv": "changed" });
  assert.notEqual(word(), before);
});

Deno.test("SyncedFiles tells a file that was made after the sync from one that travelled", () => {
  using temp = tempDir();
  writeFiles(temp.path, { "src/a.py": "1", "src/late.py": "2" });
  const source = join(temp.path, "src");
  const files = new SyncedFiles();
  files.add(source, [entry("a.py", "1")]);
  const late = files.hash(["src/*.py"], temp.path);
  files.add(source, [entry("a.py", "1"), entry("late.py", "2")]);
  assert.notEqual(files.hash(["src/*.py"], temp.path), late);
});

Deno.test("SyncedFiles says nothing of patterns that match nothing", () => {
  using temp = tempDir();
  assert.equal(new SyncedFiles().hash(["*.py"], temp.path), "");
});
