import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { changedSince } from "../../../src/steps/source_state.ts";
import { testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { writeProgram } from "../../support/program_file.ts";

const never = new AbortController().signal;

async function git(folder: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await new Deno.Command("git", {
    args: ["-C", folder, "-c", "user.name=a", "-c", "user.email=a@example.org", ...args],
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
}

async function repository() {
  const folder = tempDir();
  await git(folder.path, "init", "--quiet");
  Deno.mkdirSync(join(folder.path, "code"));
  Deno.writeTextFileSync(join(folder.path, "code", "a.py"), "1\n");
  Deno.writeTextFileSync(join(folder.path, ".gitignore"), "*.log\n");
  await git(folder.path, "add", "--all");
  await git(folder.path, "commit", "--quiet", "--message", "first");
  return folder;
}

testWith(
  ["git"],
  "a source is its commit, or changed: by an edit, or by a file git does not hold",
  async () => {
    using folder = await repository();
    const code = join(folder.path, "code");
    const look = () => changedSince(code, never);
    assert.equal(await look(), false);
    Deno.writeTextFileSync(join(folder.path, "elsewhere.py"), "");
    Deno.writeTextFileSync(join(code, "x.log"), "");
    assert.equal(await look(), false, "elsewhere, or ignored");
    Deno.writeTextFileSync(join(code, "new.py"), "");
    assert.equal(await look(), true);
    Deno.removeSync(join(code, "new.py"));
    Deno.writeTextFileSync(join(code, "a.py"), "2\n");
    assert.equal(await look(), true);
    using bare = tempDir();
    assert.equal(await changedSince(bare.path, never), undefined);
  },
);

testWith(["git"], "git obeys no folder that only looks like a repository", async () => {
  using folder = await repository();
  const planted = join(folder.path, "planted");
  await git(folder.path, "init", "--quiet", "--bare", planted);
  const told = join(folder.path, "told.log");
  // A program that git may be told to ask which files have changed.
  const program = join(folder.path, "watcher.log");
  writeProgram(program, `#!/bin/sh\n: >'${told}'\n`);
  await git(planted, "config", "core.bare", "false");
  await git(planted, "config", "core.worktree", planted);
  await git(planted, "config", "core.fsmonitor", program);
  assert.equal(await changedSince(planted, never), true);
  assert.equal(existsSync(told), false);
});
