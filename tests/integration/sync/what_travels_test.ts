/** What goes besides plain folders of untracked files: what git holds, `.git`, pointers, a single file. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { explainSync } from "../../../src/sync/explain.ts";
import { testWith } from "../../support/requires.ts";
import { readTree, startSyncRig, type SyncRig } from "../../support/sync_rig.ts";

function git(rig: SyncRig, ...args: string[]): void {
  const { success, stderr } = new Deno.Command("git", {
    args: ["-c", "user.name=t", "-c", "user.email=t@example.org", ...args],
    cwd: rig.source,
  }).outputSync();
  assert.equal(success, true, new TextDecoder().decode(stderr));
}

const files = (rig: SyncRig) =>
  Object.entries(readTree(rig.there)).filter(([, what]) => what !== "folder").map(([path]) => path);

for (const version of ["2", "4"]) {
  testWith(
    ["git"],
    `files that git holds travel although git's rules name them: index ${version}`,
    async () => {
      await using rig = startSyncRig();
      rig.write({
        ".gitignore": "*.csv\nout/\n",
        "data.csv": "held",
        "other.csv": "",
        "out/deep/\u00fc.txt": "held",
        "out/deep/not": "",
        "out/not": "",
        "secret.csv": "held",
      });
      git(rig, "init", "-q");
      git(rig, "config", "index.version", version);
      git(rig, "add", "-f", "data.csv", "out/deep/\u00fc.txt", "secret.csv");
      await rig.sync();
      assert.deepEqual(files(rig), [".gitignore", "data.csv", "out/deep/\u00fc.txt", "secret.csv"]);
      // Rules of the step, and of Grid, are meant.
      rig.write({ ".gridignore": "out/\n" });
      await rig.sync({ exclude: ["secret.csv"] });
      assert.deepEqual(files(rig), [".gitignore", ".gridignore", "data.csv"]);
    },
  );
}

testWith(["git"], ".git travels where the step asks for it, whole", async () => {
  await using rig = startSyncRig();
  rig.write({ "a.py": "a", ".gitignore": "*.sample\nindex\nHEAD\n" });
  git(rig, "init", "-q");
  git(rig, "add", "a.py");
  git(rig, "commit", "-q", "-m", "one");
  await rig.sync();
  assert.deepEqual(files(rig), [".gitignore", "a.py"]);
  await rig.sync({ exclude: [".git", "!.git/", "hooks/"] });
  const { stdout } = new Deno.Command("git", {
    args: ["-c", "safe.directory=*", "log", "--format=%s"],
    cwd: rig.there,
  }).outputSync();
  assert.equal(new TextDecoder().decode(stdout), "one\n");
  assert.deepEqual(files(rig).filter((path) => path.includes("hooks")), []);
});

Deno.test("pointers of Git LFS are named, once, and travel as they are", async () => {
  await using rig = startSyncRig();
  const pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n";
  rig.write({ "a.bin": pointer, "b.bin": "content", "sub/c.bin": pointer });
  const told: string[] = [];
  const tell = (message: string) => void told.push(message);
  await rig.sync({ tell });
  assert.deepEqual(told, []);
  rig.write({ ".gitattributes": "*.bin filter=lfs diff=lfs\n" });
  await rig.sync({ tell });
  assert.deepEqual(told, [
    "Only a pointer of Git LFS, without its content: a.bin, sub/c.bin; get it with: git lfs pull",
  ]);
});

Deno.test("a single file is a source, whatever the rules beside it say", async () => {
  await using rig = startSyncRig();
  rig.write({ "data.csv": "1", "other": "", ".gitignore": "*.csv\n" });
  const source = join(rig.source, "data.csv");
  assert.equal((await rig.sync({ source })).sent, 1);
  assert.deepEqual(readTree(rig.there), { "data.csv": "file 1" });
  assert.equal((await rig.sync({ source })).sent, 0);
  rig.write({ "data.csv": "22" });
  const { nodes: [node] } = await explainSync([rig.target], { ...rig.options, source });
  assert.deepEqual(node?.send.map(({ path, reason }) => [path, reason]), [["data.csv", "content"]]);
  await rig.sync({ source });
  assert.deepEqual(readTree(rig.there), { "data.csv": "file 22" });
  await assert.rejects(
    rig.sync({ source: join(rig.source, "no") }),
    /it is no file, and no folder/,
  );
});
