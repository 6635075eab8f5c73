import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { join } from "node:path";
import { openIgnoreRules } from "../../../src/sync/ignore.ts";
import { Stage } from "../../../src/sync/stage.ts";
import { walkSource } from "../../../src/sync/walk.ts";
import { readTree, writeFiles } from "../../support/sync_rig.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** Seconds since the Unix epoch. */
const OLD = 1_600_000_000;

async function rig() {
  const folder = tempDir();
  const source = join(folder.path, "source");
  writeFiles(source, { "a": "a", "b/c/d": "x".repeat(600_000), "b/empty": "", "e f/g\nh": "g" });
  Deno.mkdirSync(join(source, "nothing/in"), { recursive: true });
  Deno.symlinkSync("../a", join(source, "b/link"));
  Deno.chmodSync(join(source, "a"), 0o750);
  for (const path of ["b/c/d", "e f", "nothing/in"]) Deno.utimeSync(join(source, path), OLD, OLD);
  const signal = AbortSignal.timeout(60_000);
  const rules = openIgnoreRules({ source, exclude: [], excludeFrom: undefined });
  const { found } = await walkSource({ source, rules, followSymlinks: false, signal });
  const there = join(folder.path, "in");
  Deno.mkdirSync(join(there, "tree"), { recursive: true });
  const refused = (words: string) => new Error(`refused: ${words}`);
  const options = { source, useChecksums: true, followSymlinks: false, refused, signal };
  return { folder, source, found, there, tree: join(there, "tree"), options };
}

Deno.test("Stage writes what an archive would bring: contents, x-bits, links, folders and times", async () => {
  const { folder, source, found, there, tree, options } = await rig();
  using _ = folder;
  const stage = new Stage(there, options);
  const { sent, torn, bytes } = await stage.entries(found);
  assert.deepEqual(readTree(tree), readTree(source));
  assert.deepEqual([sent.length, torn, bytes], [found.length, [], 600_002]);
  const [file] = found.filter(({ path }) => path === "b/c/d");
  assert.equal(file?.content, `sha256:${hash("sha256", "x".repeat(600_000))}`);
  for (const { path } of found) {
    const [from, to] = [source, tree].map((root) => Deno.lstatSync(join(root, path)));
    const seconds = (info?: Deno.FileInfo) => Math.floor((info?.mtime?.getTime() ?? 0) / 1000);
    assert.equal(seconds(to), seconds(from), path);
  }
  stage.text("record/files", "a\0");
  stage.text("sent", () => ["b", "c"]);
  assert.equal(Deno.readTextFileSync(join(there, "record/files")), "a\0");
  assert.equal(Deno.readTextFileSync(join(there, "sent")), "bc");
});

Deno.test("Stage names what went away, and never makes anew what it was given", async () => {
  const { folder, source, found, there, tree, options } = await rig();
  using _ = folder;
  Deno.removeSync(join(source, "b/empty"));
  const { torn } = await new Stage(there, options).entries(found);
  assert.deepEqual(torn.map(({ path }) => path), ["b/empty"]);
  // As another sync does that takes this one for dead.
  Deno.removeSync(tree, { recursive: true });
  await assert.rejects(new Stage(there, options).entries(found), /refused: a: No such file/);
  assert.throws(() => Deno.statSync(tree), Deno.errors.NotFound);
});

Deno.test("Stage ends with the signal in the middle of a large file", async () => {
  const { folder, source, found, there, tree, options } = await rig();
  using _ = folder;
  Deno.truncateSync(join(source, "b/c/d"), 300_000_000);
  const large = found.filter(({ path }) => path === "b/c/d")
    .map((it) => ({ ...it, state: { ...it.state, size: 300_000_000 } }));
  const signal = AbortSignal.abort(new Error("enough"));
  await assert.rejects(new Stage(there, { ...options, signal }).entries(large), /enough/);
  assert.ok(Deno.statSync(join(tree, "b/c/d")).size < 300_000_000);
});
