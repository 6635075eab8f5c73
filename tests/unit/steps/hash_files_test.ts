import assert from "node:assert/strict";
import { join } from "node:path";
import { hashFiles } from "../../../src/steps/hash_files.ts";
import { tempDir } from "../../support/temp_dir.ts";

Deno.test("hashFiles() changes with contents and names, and not with the order of patterns", () => {
  using folder = tempDir();
  const write = (name: string, text: string) =>
    Deno.writeTextFileSync(join(folder.path, name), text);
  Deno.mkdirSync(join(folder.path, "src"));
  write("src/a.py", "one");
  write("src/b.py", "two");
  write("c.txt", "three");
  const hash = hashFiles(["src/**/*.py", "c.txt"], { project: folder.path });
  assert.match(hash, /^[0-9a-f]{64}$/);
  assert.equal(hashFiles(["c.txt", "src/*.py", "src/a.py"], { project: folder.path }), hash);
  write("src/b.py", "2");
  const changed = hashFiles(["src/**/*.py", "c.txt"], { project: folder.path });
  assert.notEqual(changed, hash);
  Deno.renameSync(join(folder.path, "src/b.py"), join(folder.path, "src/d.py"));
  assert.notEqual(hashFiles(["src/**/*.py", "c.txt"], { project: folder.path }), changed);
});

Deno.test("hashFiles() takes an absolute path, and a file larger than it reads at once", () => {
  using folder = tempDir();
  using elsewhere = tempDir();
  const path = join(elsewhere.path, "tasks.jsonl");
  Deno.writeTextFileSync(path, "1\n".repeat(400_000));
  const hash = hashFiles([path], { project: folder.path });
  assert.match(hash, /^[0-9a-f]{64}$/);
  Deno.writeTextFileSync(path, `${"1\n".repeat(399_999)}2\n`);
  assert.notEqual(hashFiles([path], { project: folder.path }), hash);
});

Deno.test("hashFiles() of nothing is the empty text", () => {
  using folder = tempDir();
  assert.equal(hashFiles(["*.nothing"], { project: folder.path }), "");
});

Deno.test("hashFiles() names the file that cannot be read", () => {
  using folder = tempDir();
  // Nothing is at the beginning of a process's memory.
  assert.throws(
    () => hashFiles(["/proc/self/mem"], { project: folder.path }),
    /Cannot read "\/proc\/self\/mem", which the step depends on: /,
  );
});
