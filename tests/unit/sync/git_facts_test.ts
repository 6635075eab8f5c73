import assert from "node:assert/strict";
import { join } from "node:path";
import { commitOf, remoteOf, topOf } from "../../../src/sync/git_facts.ts";
import { testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";

function git(folder: string, ...args: string[]): string {
  const identity = ["-c", "user.name=ann", "-c", "user.email=ann@example.org"];
  const { success, stdout, stderr } = new Deno.Command("git", {
    args: ["-C", folder, ...identity, ...args],
  }).outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout).trim();
}

testWith(["git"], "commitOf() is what git says, loose, packed, detached, in a work tree", () => {
  using temp = tempDir();
  const folder = join(temp.path, "r");
  Deno.mkdirSync(join(folder, "sub"), { recursive: true });
  git(folder, "init", "--quiet");
  assert.equal(commitOf(folder), undefined);
  const same = (at: string) => assert.equal(commitOf(at), git(at, "rev-parse", "HEAD"));
  git(folder, "commit", "--quiet", "--allow-empty", "--message", "one");
  same(folder);
  assert.equal(commitOf(join(folder, "sub")), commitOf(folder));
  git(folder, "pack-refs", "--all");
  same(folder);
  git(folder, "checkout", "--quiet", "--detach");
  same(folder);
  const other = join(temp.path, "tree");
  git(folder, "worktree", "add", "--quiet", "-b", "side", other);
  git(other, "commit", "--quiet", "--allow-empty", "--message", "two");
  same(other);
  assert.notEqual(commitOf(other), commitOf(folder));
  assert.equal(topOf(join(folder, "sub")), folder);
});

testWith(["git"], "remoteOf() is the address of origin, without password and ending", () => {
  using temp = tempDir();
  git(temp.path, "init", "--quiet");
  assert.equal(remoteOf(temp.path), undefined);
  git(temp.path, "remote", "add", "other", "https://example.org/x.git");
  assert.equal(remoteOf(temp.path), undefined);
  git(temp.path, "remote", "add", "origin", "https://ann:secret@example.org/team/app.git");
  assert.equal(remoteOf(temp.path), "https://example.org/team/app");
});

Deno.test("a folder without a repository has neither", () => {
  using temp = tempDir();
  assert.equal(commitOf(temp.path), undefined);
  assert.equal(remoteOf(temp.path), undefined);
});
