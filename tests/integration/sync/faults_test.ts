import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { GridError } from "../../../src/core/errors.ts";
import type { ClientJob } from "../../bench/sync_client.ts";
import { transportWithPath } from "../../support/node_programs.ts";
import { findProgram, testWith } from "../../support/requires.ts";
import { readTree, startSyncRig, type SyncRig, WAYS } from "../../support/sync_rig.ts";

/** Nothing staged, no lock, no half-made record. */
function assertTidy(rig: SyncRig): void {
  const names = [...Deno.readDirSync(join(rig.root, ".grid/sync/app"))].map((it) => it.name);
  assert.deepEqual(names.filter((name) => /^(work|lock|pending)/.test(name)), []);
}

for (const way of WAYS) {
  Deno.test(`syncFolders() that is cancelled half-way leaves the folder as it was (${way})`, async () => {
    await using rig = startSyncRig({ way });
    rig.write({ "a.txt": "first" });
    await rig.sync();
    rig.write({ "a.txt": "second", "big.bin": "z".repeat(100_000_000) });
    const controller = new AbortController();
    const syncing = rig.sync({ signal: controller.signal });
    syncing.catch(() => {});
    const state = join(rig.root, ".grid/sync/app");
    await until(() =>
      [...Deno.readDirSync(state)].some((it) => existsSync(join(state, it.name, "in/tree")))
    );
    controller.abort(new Error("enough"));
    await assert.rejects(syncing, /enough/);
    assert.deepEqual(readTree(rig.there), { "a.txt": "file first" });
    assert.equal((await rig.sync()).sent, 2);
    assert.deepEqual(readTree(rig.there), readTree(rig.source));
    assertTidy(rig);
  });
}

Deno.test("syncFolders() of a program that is killed in the middle of copying leaves all as it was", async () => {
  await using rig = startSyncRig();
  rig.write({ "a.txt": "first" });
  await rig.sync();
  rig.write({ "a.txt": "second", "big.bin": "z".repeat(300_000_000) });
  const job: ClientJob = {
    source: rig.source,
    cacheFolder: rig.options.cacheFolder,
    isConnected: false,
    targets: [{ endpoint: rig.target.transport.endpoint, root: rig.root }],
  };
  Deno.writeTextFileSync(join(rig.folder, "job.json"), JSON.stringify(job));
  const client = fileURLToPath(new URL("../../bench/sync_client.ts", import.meta.url));
  const program = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--cached-only", client, join(rig.folder, "job.json")],
    stdout: "null",
  }).spawn();
  const state = join(rig.root, ".grid/sync/app");
  const works = () => [...Deno.readDirSync(state)].filter(({ name }) => name.startsWith("work."));
  await until(() => works().some(({ name }) => existsSync(join(state, name, "in/tree/big.bin"))));
  program.kill("SIGKILL");
  await program.status;
  assert.deepEqual(readTree(rig.there), { "a.txt": "file first" });
  await until(() => works().length === 0);
  rig.write({ "big.bin": undefined, "c.txt": "third" });
  const report = await rig.sync();
  assert.deepEqual([report.sent, report.drifted], [2, []]);
  assert.deepEqual(readTree(rig.there), readTree(rig.source));
  assertTidy(rig);
});

Deno.test("syncFolders() takes over from a process that is gone", async () => {
  await using rig = startSyncRig();
  rig.write({ "a.txt": "a" });
  const lock = join(rig.root, ".grid/sync/app/lock");
  Deno.mkdirSync(join(lock, "..", "work.1"), { recursive: true });
  Deno.mkdirSync(lock);
  const gone = new Deno.Command("true").spawn();
  await gone.status;
  Deno.writeTextFileSync(join(lock, "owner"), `grid-1 ${hostName()} ${gone.pid}\n`);
  assert.equal((await rig.sync()).sent, 1);
  assertTidy(rig);
});

Deno.test("syncFolders() waits for a lock of another host until it is too old", async () => {
  await using rig = startSyncRig();
  rig.write({ "a.txt": "a" });
  const lock = join(rig.root, ".grid/sync/app/lock");
  Deno.mkdirSync(lock, { recursive: true });
  Deno.writeTextFileSync(join(lock, "owner"), "grid-1 another-host 1\n");
  await assert.rejects(rig.sync({ signal: AbortSignal.timeout(1500) }), { name: "TimeoutError" });
  assert.equal(existsSync(rig.there), false);
  const old = new Date(Date.now() - 4 * 60_000);
  Deno.utimeSync(join(lock, "owner"), old, old);
  assert.equal((await rig.sync()).sent, 1);
  assertTidy(rig);
});

for (const way of WAYS) {
  Deno.test(`syncFolders() finishes what an interrupted sync had begun to move in (${way})`, async () => {
    await using rig = startSyncRig({ way });
    rig.write({ "a.txt": "1", "b.txt": "1" });
    await rig.sync();
    rig.write({ "a.txt": "2", "b.txt": "2" });
    // As if the node had lost power after the first rename.
    Deno.writeTextFileSync(join(rig.there, "a.txt"), "2");
    Deno.mkdirSync(join(rig.root, ".grid/sync/app/pending"));
    const report = await rig.sync();
    assert.equal(report.sent, 2);
    assert.deepEqual(report.drifted, [], "an interrupted sync is nobody's edit");
    assert.deepEqual(readTree(rig.there), readTree(rig.source));
    assertTidy(rig);
  });
}

Deno.test("syncFolders() trusts no manifest that was damaged", async () => {
  await using rig = startSyncRig();
  rig.write({ "a.txt": "1", "b.txt": "1" });
  await rig.sync();
  const state = join(rig.root, ".grid/sync/app");
  const digest = Deno.readTextFileSync(join(state, "current")).trim();
  Deno.writeTextFileSync(join(state, digest, "facts"), "nonsense");
  Deno.removeSync(join(rig.options.cacheFolder, "manifests"), { recursive: true });
  rig.write({ "a.txt": "2", "b.txt": undefined });
  assert.equal((await rig.sync()).sent, 1);
  assert.equal(Deno.readTextFileSync(join(rig.there, "a.txt")), "2");
  assert.equal(existsSync(join(rig.there, "b.txt")), true, "nothing proves that Grid put it there");
});

Deno.test("syncFolders() asks the node anew where what is kept here was damaged", async () => {
  await using rig = startSyncRig();
  rig.write({ "a.txt": "1", "b.txt": "1", "c.txt": "1" });
  await rig.sync();
  const kept = join(rig.options.cacheFolder, "manifests");
  const [file] = [...Deno.readDirSync(kept)];
  assert.ok(file);
  Deno.writeTextFileSync(join(kept, file.name), "nonsense");
  rig.write({ "a.txt": "2", "b.txt": undefined });
  const report = await rig.sync();
  assert.deepEqual([report.sent, report.deleted], [1, 1]);
  assert.deepEqual(readTree(rig.there), readTree(rig.source));
  assertTidy(rig);
});

Deno.test("syncFolders() needs nothing that is kept here, nor that anything can be", async () => {
  await using rig = startSyncRig();
  rig.write({ "a.txt": "1", "b.txt": "1" });
  // In the way of each file that is kept.
  const { cacheFolder } = rig.options;
  for (const name of ["manifests", hashesOf(rig)]) {
    Deno.mkdirSync(cacheFolder, { recursive: true });
    Deno.writeTextFileSync(join(cacheFolder, name), "in the way");
    assert.equal((await rig.sync()).sent, 2, name);
    assert.deepEqual(readTree(rig.there), readTree(rig.source));
    assert.equal((await rig.sync()).sent, 0, name);
    Deno.removeSync(rig.there, { recursive: true });
  }
  Deno.removeSync(cacheFolder, { recursive: true });
  Deno.mkdirSync(join(cacheFolder, hashesOf(rig)), { recursive: true });
  assert.equal((await rig.sync()).sent, 2);
  Deno.removeSync(cacheFolder, { recursive: true });
  Deno.writeTextFileSync(cacheFolder, "in the way");
  rig.write({ "a.txt": "2" });
  assert.equal((await rig.sync()).sent, 1);
  assert.equal((await rig.sync()).sent, 0);
  assert.deepEqual(readTree(rig.there), readTree(rig.source));
  assertTidy(rig);
});

/** The file of its hashes. */
function hashesOf({ source }: SyncRig): string {
  return `hashes-${hash("sha256", source).slice(0, 16)}`;
}

Deno.test("syncFolders() does not stumble over what another one clears away of what is kept", async () => {
  await using rig = startSyncRig();
  rig.write({ "a.txt": "1" });
  const kept = join(rig.options.cacheFolder, "manifests");
  Deno.mkdirSync(kept, { recursive: true });
  // As if it went between the look at the folder and that at the file.
  for (let at = 0; at < 30; at++) Deno.symlinkSync("nowhere", join(kept, `gone${at}`));
  assert.equal((await rig.sync()).sent, 1);
  assert.ok([...Deno.readDirSync(kept)].length <= 21);
});

for (const way of WAYS) {
  Deno.test(`syncFolders() sends a file that keeps changing in one piece or not at all (${way})`, async () => {
    await using rig = startSyncRig({ way });
    rig.write({ "steady.txt": "s" });
    const path = join(rig.source, "log.txt");
    const writer = new Deno.Command("sh", {
      args: [
        "-c",
        'i=0; while [ $i -lt 400 ]; do i=$((i+1)); printf "%01000000d" $i >"$1"; done',
        "sh",
        path,
      ],
    }).spawn();
    try {
      await until(() => existsSync(path));
      for (let turn = 0; turn < 5; turn++) {
        const report = await rig.sync();
        assert.equal(Deno.readTextFileSync(join(rig.there, "steady.txt")), "s");
        const isThere = existsSync(join(rig.there, "log.txt"));
        assert.equal(isThere || report.skipped.some((it) => it.path === "log.txt"), true);
      }
    } finally {
      writer.kill("SIGKILL");
      await writer.status;
    }
    await rig.sync();
    assert.deepEqual(readTree(rig.there), readTree(rig.source));
  });
}

Deno.test("syncFolders() says in one sentence that the workspace cannot be written", async () => {
  await using rig = startSyncRig();
  rig.write({ "a.txt": "a" });
  Deno.writeTextFileSync(join(rig.root, ".grid"), "a file where a folder belongs");
  await assert.rejects(rig.sync(), (error: GridError) => {
    assert.equal(error.code, "workspace");
    assert.match(error.message, /nothing can be written there/);
    return true;
  });
});

testWith(["busybox"], "syncFolders() works with nothing but busybox on the node", async () => {
  const bin = Deno.makeTempDirSync({ prefix: "grid-busybox-" });
  const install = new Deno.Command(findProgram("busybox") ?? "busybox", {
    args: ["--install", "-s", bin],
  });
  await install.output();
  try {
    await using rig = startSyncRig({ transport: transportWithPath(bin) });
    const long = `${"d".repeat(150)}/${"f".repeat(200)}`;
    rig.write({ "a.txt": "1", "new\nline": "2", [long]: "3", "x/y/z": "4" });
    Deno.symlinkSync(long, join(rig.source, "link"));
    assert.equal((await rig.sync()).sent, 5);
    assert.deepEqual(readTree(rig.there), readTree(rig.source));
    assert.equal((await rig.sync()).sent, 0);
    Deno.writeTextFileSync(join(rig.there, "a.txt"), "edited");
    rig.write({ "x": undefined, "new\nline": "changed" });
    const report = await rig.sync();
    assert.deepEqual([report.sent, report.deleted], [2, 1]);
    assert.deepEqual(report.drifted, ["a.txt"]);
    assert.deepEqual(readTree(rig.there), readTree(rig.source));
  } finally {
    Deno.removeSync(bin, { recursive: true });
  }
});

for (const way of WAYS) {
  testWith(
    ["root"],
    `syncFolders() on a full disk leaves the old files and says what is missing (${way})`,
    async () => {
      const mount = Deno.makeTempDirSync({ prefix: "grid-full-" });
      run("mount", "-t", "tmpfs", "-o", "size=2m,nr_inodes=200", "tmpfs", mount);
      try {
        await using rig = startSyncRig({ root: mount, way });
        rig.write({ "a.txt": "first" });
        await rig.sync();
        rig.write({ "a.txt": "second", "big.bin": "b".repeat(3_000_000) });
        await assert.rejects(rig.sync(), /2\.9 MiB needed, .* free/);
        rig.write({ "big.bin": undefined });
        // Enough bytes, but not enough inodes: only tar can find that out.
        for (let at = 0; at < 300; at++) rig.write({ [`many/${at}`]: "" });
        await assert.rejects(rig.sync(), (error: GridError) => {
          assert.match(error.message, /No space left on device/);
          assert.match(error.hint ?? "", /inodes/);
          return true;
        });
        assert.deepEqual(readTree(rig.there), { "a.txt": "file first" });
        assertTidy(rig);
        rig.write({ "many": undefined });
        assert.equal((await rig.sync()).sent, 1);
      } finally {
        run("umount", mount);
        Deno.removeSync(mount);
      }
    },
  );
}

function run(program: string, ...args: string[]): void {
  const { success, stderr } = new Deno.Command(program, { args }).outputSync();
  assert.equal(success, true, new TextDecoder().decode(stderr));
}

function hostName(): string {
  return new TextDecoder().decode(new Deno.Command("uname", { args: ["-n"] }).outputSync().stdout)
    .trim();
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let turn = 0; turn < 4000; turn++) {
    if (isTrue()) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  throw new Error("it never came true");
}
