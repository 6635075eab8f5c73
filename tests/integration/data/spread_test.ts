import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { connect } from "node:net";
import { dirname, join } from "node:path";
import { connect as connectTls } from "node:tls";
import { cleanSets, keptSets, parseSets, pinSet, removeSet } from "../../../src/data/kept.ts";
import { NodeStore } from "../../../src/data/node_store.ts";
import { oneTimeCertificate } from "../../../src/data/one_time_certificate.ts";
import { readDataSet } from "../../../src/data/source.ts";
import { spreadData } from "../../../src/data/spread.ts";
import { createLocalTransport } from "../../../src/transport/local.ts";
import { createPool } from "../../../src/transport/pool.ts";
import { type DataRig, startDataRig } from "../../support/data_rig.ts";
import { linkPrograms, transportWithPath } from "../../support/node_programs.ts";
import { startOpenSsh } from "../../support/openssh.ts";
import { testWith } from "../../support/requires.ts";
import { localEndpoint, readTree } from "../../support/sync_rig.ts";

const MIB = 2 ** 20;
/** Programs, lists and framing of one conversation. */
const TALK_BYTES = 100_000;

function random(bytes: number): Uint8Array {
  const all = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) {
    crypto.getRandomValues(all.subarray(at, Math.min(bytes, at + 65_536)));
  }
  return all;
}

function sets(root: string): string[] {
  return [...Deno.readDirSync(join(root, ".grid/data"))].map(({ name }) => name).toSorted();
}

function setOf(rig: DataRig) {
  const { source, folder } = rig;
  const signal = AbortSignal.timeout(60_000);
  return readDataSet({ source, exclude: [], cacheFolder: join(folder, "cache"), signal });
}

// The size is what GRID_TEST_DATA_MIB says: 1024 for the promise in full.
testWith(
  ["sshd", "python3"],
  "five nodes get a set for one copy from here, and a second project for none",
  async () => {
    const size = Number(Deno.env.get("GRID_TEST_DATA_MIB") ?? "6") * MIB;
    await using lab = await startOpenSsh({ nodes: 5, gpus: 0 });
    await using pool = createPool({ handshakes: 10 });
    await using rig = startDataRig({ nodes: 0 });
    rig.write({ "a.txt": "1", "d/deep/b.txt": "2", "d/empty": "" });
    Deno.mkdirSync(join(rig.source, "none"));
    Deno.symlinkSync("d/deep/b.txt", join(rig.source, "link"));
    Deno.writeTextFileSync(join(rig.source, "run.sh"), "#!/bin/sh\n", { mode: 0o755 });
    using file = Deno.openSync(join(rig.source, "d/large"), { create: true, write: true });
    for (let at = 0; at < size; at += MIB) file.writeSync(random(MIB));
    const targets = lab.nodes.map(({ name, endpoint, root }) => {
      Deno.mkdirSync(root, { recursive: true });
      return { node: name, root, transport: pool.transport(endpoint) };
    });
    const sent = () => targets.reduce((sum, { transport }) => sum + transport.stats.bytesSent, 0);
    const signal = AbortSignal.timeout(900_000);
    const first = await rig.brought({ targets, signal });
    assert.deepEqual(rig.told, []);
    const once = sent();
    assert.ok(once <= 1.2 * size, `${once} bytes went from here for ${size}`);
    assert.equal(first.filter(({ from }) => from === undefined).length, 1);
    const what = size > 10 * MIB ? "none" : undefined;
    for (const { folder } of first) {
      if (what === undefined) assert.deepEqual(readTree(folder), readTree(rig.source));
      else assert.equal(Deno.statSync(join(folder, "d/large")).size, size);
    }
    const use = { project: "22222222", folder: "/home/bob/other", name: "set", source: rig.source };
    const second = await rig.brought({ targets, signal, use });
    assert.ok(second.every(({ wasThere, sent }) => wasThere && sent === 0));
    assert.ok(sent() - once < 5 * TALK_BYTES, `${sent() - once}`);
    assert.deepEqual(second.map(({ folder }) => folder), first.map(({ folder }) => folder));
  },
);

Deno.test("an interrupted transfer goes on, and other content is another set beside it", async () => {
  await using rig = startDataRig();
  const [node] = rig.nodes;
  assert.ok(node);
  rig.write({ "a.txt": "1" });
  Deno.writeFileSync(join(rig.source, "large"), random(12 * MIB));
  node.transport.measures = { cutAfter: 9 * MIB };
  const [broken] = await rig.spread();
  assert.equal(broken?.ok, false);
  assert.match(sets(node.root).join(), /^[0-9a-f]{64}\.part(,[0-9a-f]{64}\.lock)?$/);
  rig.sent();
  node.transport.measures = {};
  const [whole] = await rig.brought();
  assert.ok(whole && rig.sent() < 9 * MIB, "what had arrived came again");
  assert.deepEqual(readTree(whole.folder), readTree(rig.source));

  rig.write({ "a.txt": "2" });
  const [other] = await rig.brought();
  assert.ok(other && other.folder !== whole.folder);
  assert.equal(Deno.readTextFileSync(join(whole.folder, "a.txt")), "1");
});

Deno.test("two runs at once transfer once", async () => {
  await using rig = startDataRig({ nodes: 2 });
  Deno.writeFileSync(join(rig.source, "large"), random(5 * MIB));
  const all = await Promise.all([rig.brought(), rig.brought()]);
  assert.ok(rig.sent() < 5 * MIB + 8 * TALK_BYTES);
  for (const { folder } of all.flat()) {
    assert.equal(Deno.statSync(join(folder, "large")).size, 5 * MIB);
  }
});

Deno.test("what somebody changed on a node is mended before it is used, and comes alone", async () => {
  await using rig = startDataRig();
  rig.write({ "a.txt": "1", "b.txt": "2" });
  Deno.writeFileSync(join(rig.source, "large"), random(3 * MIB));
  const [first] = await rig.brought();
  assert.ok(first);
  const file = join(first.folder, "a.txt");
  assert.equal(Deno.statSync(file).mode! & 0o222, 0);
  Deno.chmodSync(file, 0o644);
  Deno.writeTextFileSync(file, "X");
  rig.sent();
  const [again] = await rig.brought();
  assert.equal(again?.wasThere, false);
  assert.ok(rig.sent() < TALK_BYTES);
  assert.equal(Deno.readTextFileSync(file), "1");
  // Touched, and the same still: it is only looked at.
  Deno.utimeSync(file, 1, 1);
  assert.equal((await rig.brought())[0]?.wasThere, true);
});

Deno.test("where nodes cannot give it to each other, or may not, each gets it from here", async () => {
  await using rig = startDataRig({
    nodes: 2,
    transportOf: (name, folder) =>
      transportWithPath(`${linkPrograms(folder, { without: ["python3"] })}:${tools(folder)}`, {
        name,
      }),
  });
  rig.write({ "a.txt": "1" });
  const results = await rig.brought();
  assert.deepEqual(results.map(({ sent }) => sent), [1, 1]);
  await using plain = startDataRig({ nodes: 2 });
  plain.write({ "a.txt": "1" });
  const direct = await plain.brought({ direct: false });
  assert.deepEqual(direct.map(({ sent }) => sent), [1, 1]);
});

/** Programs that this room alone needs on nodes. */
function tools(folder: string): string {
  const bin = Deno.makeTempDirSync({ dir: folder });
  const names = ["env", "chmod", "cksum", "readlink", "ln", "cmp", "od", "touch", "kill"];
  for (const name of names) {
    const path = [`/usr/bin/${name}`, `/bin/${name}`].find((path) => existsSync(path));
    if (path !== undefined) Deno.symlinkSync(path, join(bin, name));
  }
  return bin;
}

Deno.test("a set is whole or not at all", async () => {
  await using rig = startDataRig();
  const reasons: (readonly [() => void, RegExp])[] = [
    [() => Deno.symlinkSync("/etc/passwd", join(rig.source, "out")), /"out": a link that leaves/],
    [() => rig.write({ "a\\b": "1" }), /a backslash in a name/],
    [() => rig.write({ "a\nb": "1" }), /a control character in a name/],
  ];
  for (const [make, reason] of reasons) {
    Deno.removeSync(rig.source, { recursive: true });
    Deno.mkdirSync(rig.source);
    rig.write({ "good.txt": "1" });
    make();
    await assert.rejects(setOf(rig), reason);
  }
  Deno.removeSync(rig.source, { recursive: true });
  await assert.rejects(setOf(rig), /there is nothing/);
  // Ignore files have no say, and a file is a set too.
  Deno.mkdirSync(rig.source);
  rig.write({ ".gitignore": "*.bin\n", "a.bin": "1", "odd ü  name": "2" });
  const set = await setOf(rig);
  assert.deepEqual(set.entries.map(({ path }) => path), [".gitignore", "a.bin", "odd ü  name"]);
  const [result] = await rig.brought({ set });
  assert.deepEqual(readTree(result!.folder), readTree(rig.source));
  const one = await readDataSet({
    source: join(rig.source, "a.bin"),
    exclude: [],
    cacheFolder: join(rig.folder, "cache"),
    signal: AbortSignal.timeout(60_000),
  });
  const [file] = await rig.brought({ set: one });
  assert.equal(Deno.readTextFileSync(file!.folder), "1");
});

testWith(
  ["python3"],
  "a stranger at the port gets nothing, and whoever has the key gets it all",
  async () => {
    await using rig = startDataRig();
    rig.write({ "secret.txt": "the content" });
    const set = await setOf(rig);
    const [mine] = await rig.brought();
    const folder = mine!.folder;
    const [target] = rig.nodes;
    assert.ok(target);
    const signal = AbortSignal.timeout(60_000);
    const options = { target, set, owner: "ann@desk", signal };
    await using store = await NodeStore.open(options);
    const [ours, theirs, others] = [
      oneTimeCertificate(),
      oneTimeCertificate(),
      oneTimeCertificate(),
    ];
    const door = await store.serve({ ...ours, peers: [theirs.certificate] });
    assert.ok(door);
    const ask = new Uint8Array(16);
    ask[3] = 1;
    const plain = await answerOf(() => connect(door.port, "127.0.0.1"), ask);
    assert.ok(!plain.includes("content"));
    const words = { port: door.port, host: "127.0.0.1", rejectUnauthorized: false };
    for (const who of [{}, { key: others.key, cert: others.certificate }]) {
      assert.equal(await answerOf(() => connectTls({ ...words, ...who }), ask), "");
    }
    // Nor does a node take from whoever listens in the place of the other.
    const root = join(rig.folder, "second");
    Deno.mkdirSync(root);
    await using transport = createLocalTransport(localEndpoint("n9"));
    await using taker = await NodeStore.open({
      ...options,
      target: { node: "n9", root, transport },
    });
    assert.equal(await taker.lock(), "none");
    await taker.begin();
    const settings = { ...theirs, ...door, hosts: ["127.0.0.1"] };
    const refused = await taker.pull({ ...settings, peers: [others.certificate] }, () => {});
    assert.match(refused ?? "", /certificate verify failed/);
    assert.equal(await taker.pull({ ...settings, peers: [ours.certificate] }, () => {}), undefined);
    assert.equal(await taker.finish(), "whole");
    const there = join(root, ".grid/data", set.digest, "tree");
    assert.deepEqual(readTree(there), readTree(folder));
  },
);

/** What it says before it closes. */
function answerOf(open: () => ReturnType<typeof connect>, ask: Uint8Array): Promise<string> {
  const done = Promise.withResolvers<string>();
  let said = "";
  const socket = open();
  const timer = setTimeout(() => socket.destroy(), 15_000);
  socket.on("data", (bytes) => said += bytes.toString("latin1"));
  socket.on("error", () => {});
  socket.on("close", () => {
    clearTimeout(timer);
    done.resolve(said);
  });
  socket.write(ask);
  return done.promise;
}

Deno.test("what a node gives with other sums is not taken", async () => {
  await using rig = startDataRig({ nodes: 2 });
  rig.write({ "a.txt": "1".repeat(1000), "b.txt": "2" });
  const set = await setOf(rig);
  const [first, second] = rig.nodes;
  assert.ok(first && second);
  const [there] = await rig.brought({ targets: [first] });
  const file = join(there!.folder, "a.txt");
  // As a disk would that went bad, or a node that lies: the seal says that nothing changed.
  Deno.chmodSync(file, 0o644);
  Deno.writeTextFileSync(file, "X".repeat(1000));
  const seal = join(dirname(there!.folder), "seal");
  const facts = `cd '${
    there!.folder
  }' && find . -type f -exec stat -c '%s %y %z %i %n' {} + | sort | cksum`;
  const { stdout } = new Deno.Command("sh", {
    args: ["-c", facts],
    env: { LC_ALL: "C", TZ: "UTC0" },
  })
    .outputSync();
  Deno.writeFileSync(seal, stdout);
  const results = await spreadData({
    set,
    targets: [first, second],
    use: { project: "1", folder: "/p", name: "set", source: rig.source },
    direct: true,
    owner: "ann@desk",
    maxParallelTransfers: 5,
    signal: AbortSignal.timeout(60_000),
    progress: () => {},
    tell: (message) => rig.told.push(message),
  });
  const [, taken] = results;
  assert.ok(taken?.ok && taken.from === undefined);
  assert.match(rig.told.join(), /what n1 gave to n2 has other sums/);
  assert.deepEqual(readTree(taken.folder), readTree(rig.source));
});

Deno.test("pinned sets and those in use stay; what nobody uses goes, read-only or not", async () => {
  await using rig = startDataRig();
  rig.write({ "a.txt": "1" });
  const [mine] = await rig.brought();
  const [target] = rig.nodes;
  assert.ok(mine && target);
  const options = { target, signal: AbortSignal.timeout(60_000) };
  const [set] = await keptSets(options);
  assert.ok(set);
  const { digest } = set;
  assert.deepEqual(
    { ...set, digest: "", ageSeconds: 0, users: set.users.map(({ folder }) => folder) },
    {
      digest: "",
      isWhole: true,
      isPinned: false,
      isBusy: false,
      ageSeconds: 0,
      files: 1,
      bytes: 1,
      owner: "ann@desk",
      name: "set",
      from: rig.source,
      users: ["/home/ann/project"],
    },
  );
  const old = { ...options, minutes: 0, dryRun: false };
  const remove = () => removeSet({ ...options, digest, force: false });
  assert.equal(await pinSet({ ...options, digest, pin: true }), true);
  assert.equal((await remove())?.kept, "it is pinned");
  assert.deepEqual(await cleanSets(old), []);
  await pinSet({ ...options, digest, pin: false });

  const job = join(dirname(mine.folder), "jobs/job1");
  Deno.writeTextFileSync(job, `${Deno.pid} ${Deno.hostname()}\n`);
  assert.equal((await remove())?.kept, "a job uses it");
  assert.deepEqual(await cleanSets(old), []);
  assert.equal((await keptSets(options))[0]?.isBusy, true);
  Deno.writeTextFileSync(job, `999999999 ${Deno.hostname()}\n`);
  assert.deepEqual(await cleanSets({ ...old, minutes: 5 }), [], "it was used a moment ago");
  assert.deepEqual(await cleanSets(old), [{ digest, bytes: 1 }]);
  assert.deepEqual(await keptSets(options), []);
  assert.deepEqual(sets(target.root), []);
  assert.equal(await remove(), undefined);
});

Deno.test("parseSets() passes over what no store of Grid's says", () => {
  const digest = "a".repeat(64);
  assert.deepEqual(
    parseSets([`set ${digest} odd - - 1`, "end", "set ../x whole - - 1", "end"]),
    [],
  );
  const [set] = parseSets([`set ${digest} whole - - 1`, "about 1 x", "about a\x1b[31m", "end"]);
  assert.deepEqual([set?.bytes, set?.owner], [0, "a?[31m"]);
});
