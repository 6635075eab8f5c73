import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { toGridError } from "../../../src/core/errors.ts";
import { createPool } from "../../../src/transport/pool.ts";
import { fetchFiles } from "../../../src/sync/fetch.ts";
import { syncFolders } from "../../../src/sync/folders.ts";
import { linkPrograms } from "../../support/node_programs.ts";
import { startOpenSsh } from "../../support/openssh.ts";
import { testWith } from "../../support/requires.ts";
import { readTree, startSyncRig } from "../../support/sync_rig.ts";
import { tempDir } from "../../support/temp_dir.ts";

testWith(
  ["sshd"],
  "syncFolders() brings three nodes up to date over one handshake each",
  async () => {
    await using lab = await startOpenSsh({ nodes: 3 });
    await using pool = createPool({ handshakes: 10 });
    await using rig = startSyncRig();
    rig.write({ "a.txt": "a", "odd\nname/b'.txt": "b", "big.bin": "x".repeat(3_000_000) });
    const targets = lab.nodes.map(({ name, endpoint, root }) => ({
      node: name,
      transport: pool.transport(endpoint),
      root,
    }));
    for (const expected of [3, 0]) {
      const results = await syncFolders(targets, rig.options);
      for (const result of results) assert.equal(result.ok && result.report.sent, expected);
    }
    rig.write({ "a.txt": "changed", "odd\nname": undefined });
    for (const result of await syncFolders(targets, rig.options)) {
      assert.deepEqual(result.ok && [result.report.sent, result.report.deleted], [1, 1]);
    }
    for (const node of lab.nodes) {
      assert.deepEqual(readTree(join(node.root, "app")), readTree(rig.source));
      assert.equal(node.acceptedLogins(), 1);
    }
  },
);

testWith(["sshd"], "syncFolders() sends much at once over a login of ssh itself", async () => {
  await using lab = await startOpenSsh({ nodes: 2, gpus: 0 });
  await using pool = createPool({ handshakes: 10 });
  await using rig = startSyncRig();
  for (let at = 0; at < 8; at++) {
    const bytes = crypto.getRandomValues(new Uint8Array(60_000));
    for (let copy = 0; copy < 12; copy++) rig.write({ [`${at}/${copy}.bin`]: [...bytes].join() });
  }
  const targets = lab.nodes.map(({ name, endpoint, root }) => ({
    node: name,
    transport: pool.transport(endpoint),
    root,
  }));
  await Promise.all(targets.map(({ transport }) => transport.exec(":")));
  for (const expected of [96, 0]) {
    const results = await syncFolders(targets, rig.options);
    for (const result of results) assert.equal(result.ok && result.report.sent, expected);
  }
  for (const node of lab.nodes) {
    assert.deepEqual(readTree(join(node.root, "app")), readTree(rig.source));
    assert.equal(node.acceptedLogins(), 2);
  }
});

testWith(["sshd"], "syncFolders() says that a node's PATH has no env, which it needs", async () => {
  using temp = tempDir();
  const path = linkPrograms(temp.path, { without: ["env"] });
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0, sshdConfig: [`SetEnv PATH=${path}`] });
  const [node] = lab.nodes;
  assert.ok(node);
  await using pool = createPool({ handshakes: 1 });
  await using rig = startSyncRig();
  rig.write({ "a.txt": "a" });
  const transport = pool.transport(node.endpoint);
  const [result] = await syncFolders(
    [{ node: node.name, transport, root: node.root }],
    rig.options,
  );
  assert.ok(result && !result.ok);
  const { message, hint } = toGridError(result.error);
  assert.match(message, /its PATH has no env/);
  assert.match(hint ?? "", /SetEnv PATH/);
});

testWith(["sshd"], "syncFolders() names the node that is down and serves the others", async () => {
  await using lab = await startOpenSsh({ nodes: 2 });
  await using pool = createPool({ handshakes: 10 });
  await using rig = startSyncRig();
  rig.write({ "a.txt": "a" });
  await lab.nodes[0]!.stop();
  const targets = lab.nodes.map(({ name, endpoint, root }) => ({
    node: name,
    transport: pool.transport({ ...endpoint, maxRetries: 0 }),
    root,
  }));
  const [down, up] = await syncFolders(targets, rig.options);
  assert.equal(down?.ok, false);
  assert.equal(up?.ok, true);
});

testWith(
  ["sshd"],
  "syncFolders() over a link that breaks leaves the folder as it was",
  async () => {
    await using lab = await startOpenSsh({ nodes: 1 });
    const [node] = lab.nodes;
    assert.ok(node);
    const pool = createPool({ handshakes: 10 });
    await using rig = startSyncRig();
    rig.write({ "a.txt": "first" });
    const there = join(node.root, "app");
    const target = () => ({
      node: node.name,
      transport: pool.transport(node.endpoint),
      root: node.root,
    });
    try {
      await syncFolders([target()], rig.options);
      // Large enough that the daemon ends long before the last byte.
      rig.write({ "a.txt": "second", "big.bin": "y".repeat(200_000_000) });
      const syncing = syncFolders([target()], rig.options);
      await until(() => hasStaged(node.root));
      await node.stop();
      const [result] = await syncing;
      assert.equal(result?.ok, false);
      assert.deepEqual(readTree(there), { "a.txt": "file first" });
      await node.start();
      const [again] = await syncFolders([target()], rig.options);
      assert.equal(again?.ok && again.report.sent, 2);
      assert.equal(Deno.readTextFileSync(join(there, "a.txt")), "second");
      const state = join(node.root, ".grid/sync/app");
      const left = [...Deno.readDirSync(state)].map((it) => it.name);
      assert.deepEqual(left.filter((name) => /^(work|lock|pending)/.test(name)), []);
    } finally {
      await pool[Symbol.asyncDispose]();
    }
  },
);

testWith(["sshd"], "fetchFiles() brings results home from a node", async () => {
  await using lab = await startOpenSsh({ nodes: 1 });
  const [node] = lab.nodes;
  assert.ok(node);
  await using pool = createPool({ handshakes: 10 });
  await using rig = startSyncRig();
  Deno.mkdirSync(join(node.root, "out"), { recursive: true });
  const bytes = crypto.getRandomValues(new Uint8Array(60_000));
  Deno.writeFileSync(join(node.root, "out/model.bin"), bytes);
  const report = await fetchFiles({
    transport: pool.transport(node.endpoint),
    folder: node.root,
    from: ["out/*.bin"],
    to: join(rig.folder, "results"),
    signal: rig.options.signal,
  });
  assert.deepEqual([report.files, report.bytes], [["out/model.bin"], 60_000]);
  assert.deepEqual(Deno.readFileSync(join(rig.folder, "results/out/model.bin")), bytes);
});

function hasStaged(root: string): boolean {
  const state = join(root, ".grid/sync/app");
  return [...Deno.readDirSync(state)].some((entry) =>
    entry.name.startsWith("work.") && existsSync(join(state, entry.name, "in/tree/big.bin"))
  );
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let turn = 0; turn < 2000; turn++) {
    if (isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  throw new Error("it never came true");
}
