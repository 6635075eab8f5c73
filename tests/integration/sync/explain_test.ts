import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { explainSync } from "../../../src/sync/explain.ts";
import { readTree, startSyncRig, writeFiles } from "../../support/sync_rig.ts";

Deno.test("explainSync() gives the reason for every file, and changes nothing", async () => {
  await using rig = startSyncRig();
  rig.write({
    ".gitignore": "*.log\nout/\n",
    "same.txt": "s",
    "edited.txt": "1",
    "drifted.txt": "d",
    "program.sh": "p",
    "turns.txt": "t",
    "gone.txt": "g",
    "a.log": "",
    "out/x": "",
    "data/big.bin": "",
  });
  const options = { ...rig.options, exclude: ["data/"] };
  await rig.sync(options);
  rig.write({ "edited.txt": "2", "new.txt": "n", "gone.txt": undefined, "turns.txt": undefined });
  Deno.symlinkSync("same.txt", join(rig.source, "turns.txt"));
  Deno.chmodSync(join(rig.source, "program.sh"), 0o755);
  writeFiles(rig.there, { "drifted.txt": "D" });
  const before = readTree(rig.there);
  const result = await explainSync([rig.target], options);
  assert.deepEqual(readTree(rig.there), before);
  assert.deepEqual(result.ignored, [
    { path: "a.log", from: ".gitignore", pattern: "*.log" },
    { path: "data", from: "exclude", pattern: "data/" },
    { path: "out", from: ".gitignore", pattern: "out/" },
  ]);
  const [node] = result.nodes;
  assert.deepEqual(node?.send.map(({ path, reason }) => [path, reason]), [
    ["drifted.txt", "changed on the node"],
    ["edited.txt", "content"],
    ["new.txt", "new"],
    ["program.sh", "x-bit"],
    ["turns.txt", "type"],
  ]);
  assert.deepEqual(node?.remove, ["gone.txt"]);
  assert.equal(node?.unchanged, 2);
});

Deno.test("explainSync() leaves no trace on a node that was never synced", async () => {
  await using rig = startSyncRig();
  rig.write({ "a.txt": "a" });
  const { nodes } = await explainSync([rig.target], rig.options);
  assert.deepEqual(nodes[0]?.send, [{ path: "a.txt", bytes: 1, reason: "new" }]);
  assert.equal(existsSync(join(rig.root, ".grid")), false);
});
