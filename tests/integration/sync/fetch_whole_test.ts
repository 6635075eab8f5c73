/** Everything that is asked for comes home as it is there, or is named. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { GridError } from "../../../src/core/errors.ts";
import { fetchFiles } from "../../../src/sync/fetch.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { ORDINARY_UID, transportAs } from "../../support/account_transport.ts";
import {
  BSD_STAT,
  linkPrograms,
  transportWithPath,
  transportWithPrograms,
  writePrograms,
} from "../../support/node_programs.ts";
import { openToOthers } from "../../support/other_account.ts";
import { findProgram, testWith } from "../../support/requires.ts";
import { readTree, startSyncRig, type SyncRig, writeFiles } from "../../support/sync_rig.ts";
import { tempDir } from "../../support/temp_dir.ts";

function fetchFrom(rig: SyncRig, from: readonly string[], transport: Transport = rig.transport) {
  return fetchFiles({
    transport,
    folder: rig.root,
    from,
    to: join(rig.folder, "results"),
    signal: rig.options.signal,
  });
}

const results = (rig: SyncRig) => readTree(join(rig.folder, "results"));

/** What a training leaves behind: checkpoints, links to them, an odd name, a program. */
function writeCheckpoints(rig: SyncRig): void {
  writeFiles(rig.root, {
    "ck/step10.pt": "weights",
    "ck/deep/er/a b'c\\d.txt": "x",
    "ck/-rf": "y",
    "ck/run.sh": "z",
  });
  Deno.symlinkSync("step10.pt", join(rig.root, "ck/last.pt"));
  Deno.linkSync(join(rig.root, "ck/step10.pt"), join(rig.root, "ck/best.pt"));
  Deno.mkdirSync(join(rig.root, "ck/empty"));
  Deno.chmodSync(join(rig.root, "ck/run.sh"), 0o755);
  Deno.utimeSync(join(rig.root, "ck/step10.pt"), 1_700_000_000, 1_700_000_000);
}

const WHOLE = {
  "ck": "folder",
  "ck/-rf": "file y",
  "ck/best.pt": "file weights",
  "ck/deep": "folder",
  "ck/deep/er": "folder",
  "ck/deep/er/a b'c\\d.txt": "file x",
  "ck/empty": "folder",
  "ck/last.pt": "file weights",
  "ck/run.sh": "file x z",
  "ck/step10.pt": "file weights",
};

const NODES: Readonly<
  Record<string, { parts: Parameters<typeof testWith>[0]; path: (folder: string) => string }>
> = {
  "GNU tools": { parts: [], path: (folder) => linkPrograms(folder, { without: [] }) },
  "nothing but busybox": {
    parts: ["busybox"],
    path: (folder) => {
      const bin = writePrograms(folder, {});
      const args = ["--install", "-s", bin];
      new Deno.Command(findProgram("busybox") ?? "", { args }).outputSync();
      return bin;
    },
  },
  "bsdtar": {
    parts: ["bsdtar"],
    path: (folder) => {
      const bin = writePrograms(folder, { tar: `exec ${findProgram("bsdtar")} "$@"` });
      return `${bin}:${linkPrograms(folder, { without: ["tar"] })}`;
    },
  },
  "the stat of the BSDs, and shasum": {
    parts: ["perl"],
    path: (folder) => {
      const bin = writePrograms(folder, {
        stat: BSD_STAT,
        shasum: `exec ${findProgram("shasum")} "$@"`,
      });
      return `${bin}:${linkPrograms(folder, { without: ["stat", "sha256sum"] })}`;
    },
  },
};

for (const [what, { parts, path }] of Object.entries(NODES)) {
  testWith(parts, `fetchFiles() brings a checkpoint folder home whole from ${what}`, async () => {
    using temp = tempDir();
    await using transport = transportWithPath(path(temp.path));
    await using rig = startSyncRig();
    writeCheckpoints(rig);
    const report = await fetchFrom(rig, ["ck"], transport);
    assert.deepEqual(results(rig), WHOLE);
    assert.equal(report.isVerified, true);
    assert.equal(report.files.length, 6);
    const time = Deno.statSync(join(rig.folder, "results/ck/step10.pt")).mtime?.getTime();
    assert.equal(time, 1_700_000_000_000);
    // Again, one of them changed; then a glob.
    writeFiles(rig.root, { "ck/-rf": "new" });
    assert.equal((await fetchFrom(rig, ["ck"], transport)).files.length, 6);
    assert.equal(results(rig)["ck/-rf"], "file new");
    assert.equal((await fetchFrom(rig, ["ck/*.pt"], transport)).files.length, 3);
  });
}

Deno.test("fetchFiles() does not bring again what is here already", async () => {
  await using rig = startSyncRig();
  writeFiles(rig.root, { "a.bin": "a".repeat(1000), "b.bin": "b" });
  await fetchFrom(rig, ["*.bin"]);
  const before = Deno.statSync(join(rig.folder, "results/a.bin")).ino;
  writeFiles(rig.root, { "b.bin": "changed" });
  assert.equal((await fetchFrom(rig, ["*.bin"])).bytes, 1007);
  assert.equal(Deno.statSync(join(rig.folder, "results/a.bin")).ino, before);
  // Same size, other content: told by its sum.
  Deno.writeTextFileSync(join(rig.folder, "results/a.bin"), "x".repeat(1000));
  await fetchFrom(rig, ["*.bin"]);
  assert.equal(results(rig)["a.bin"], `file ${"a".repeat(1000)}`);
});

Deno.test("fetchFiles() names what is no file, and fails where nothing else was asked for", async () => {
  await using rig = startSyncRig();
  writeFiles(rig.root, { "out/a": "a" });
  Deno.symlinkSync("nowhere", join(rig.root, "out/last"));
  Deno.symlinkSync(".", join(rig.root, "out/loop"));
  new Deno.Command("mkfifo", { args: [join(rig.root, "out/pipe")] }).outputSync();
  const report = await fetchFrom(rig, ["out"]);
  assert.deepEqual(results(rig), { "out": "folder", "out/a": "file a" });
  assert.deepEqual(report.skipped, [
    { path: "out/last", reason: "a link to nothing" },
    { path: "out/loop", reason: "a link to a folder above" },
    { path: "out/pipe", reason: "a named pipe" },
  ]);
  await assert.rejects(fetchFrom(rig, ["out/last"]), /matches "out\/last" .*a link to nothing/);
});

testWith(["root"], "fetchFiles() fails on what the account may not read, by name", async () => {
  await using rig = startSyncRig();
  await using transport = transportAs({ uid: ORDINARY_UID });
  writeFiles(rig.root, { "r/x": "x", "r/closed/y": "y", "s/a": "a", "s/secret": "b" });
  Deno.chmodSync(rig.folder, 0o711);
  openToOthers(rig.root);
  Deno.chmodSync(join(rig.root, "r/closed"), 0o700);
  Deno.chmodSync(join(rig.root, "s/secret"), 0o600);
  const fails = (from: string[], words: RegExp) =>
    assert.rejects(fetchFrom(rig, from, transport), (error: GridError) => {
      assert.equal(error.exitCode, 1);
      assert.match(error.message, words);
      return true;
    });
  await fails(["r"], /it cannot read r\/closed \(permission denied\)/);
  await fails(["r/**/*"], /r\/closed/);
  await fails(["s"], /it cannot read s\/secret \(permission denied\)/);
  assert.throws(() => Deno.statSync(join(rig.folder, "results/s")), Deno.errors.NotFound);
  // What cannot be read is no obstacle to what can.
  assert.deepEqual((await fetchFrom(rig, ["r/x", "s/a"], transport)).files, ["r/x", "s/a"]);
  assert.deepEqual((await fetchFrom(rig, ["r/*x"], transport)).files, ["r/x"]);
});

Deno.test("fetchFiles() brings a log that grows up to where it was read", async () => {
  await using rig = startSyncRig();
  const path = join(rig.root, "train.log");
  const stop = join(rig.folder, "stop");
  Deno.writeTextFileSync(path, "line\n".repeat(100_000));
  const writer = new Deno.Command("sh", {
    args: ["-c", 'until [ -e "$2" ]; do echo line; done >>"$1"', "sh", path, stop],
  }).spawn();
  try {
    await fetchFrom(rig, ["train.log"]);
  } finally {
    Deno.writeTextFileSync(stop, "");
    await writer.status;
  }
  const here = Deno.readTextFileSync(join(rig.folder, "results/train.log"));
  assert.equal(Deno.readTextFileSync(path).startsWith(here), true);
});

Deno.test("fetchFiles() believes no archive whose content is other than the node's sum", async () => {
  using temp = tempDir();
  const tar = `[ "$1" = --version ] && exec /usr/bin/tar "$@"
/usr/bin/tar "$@" | sed s/weights/wrongly/`;
  await using transport = transportWithPrograms(temp.path, { tar });
  await using rig = startSyncRig();
  writeFiles(rig.root, { "a.pt": "weights" });
  await assert.rejects(
    fetchFrom(rig, ["a.pt"], transport),
    /a\.pt kept changing while it was read/,
  );
  assert.deepEqual(results(rig), {});
});

Deno.test("fetchFiles() clears away what a fetch that was killed left behind", async () => {
  await using rig = startSyncRig();
  writeFiles(rig.root, { "big.bin": "b".repeat(60_000_000), "a": "a" });
  const to = join(rig.folder, "results");
  const script = `
    import { fetchFiles } from ${
    JSON.stringify(new URL("../../../src/sync/fetch.ts", import.meta.url).href)
  };
    import { createLocalTransport } from ${
    JSON.stringify(new URL("../../../src/transport/local.ts", import.meta.url).href)
  };
    import { localEndpoint } from ${
    JSON.stringify(new URL("../../support/sync_rig.ts", import.meta.url).href)
  };
    await fetchFiles({
      transport: createLocalTransport(localEndpoint("n1")), folder: ${JSON.stringify(rig.root)},
      from: ["big.bin"], to: ${JSON.stringify(to)}, signal: new AbortController().signal,
    });`;
  const file = join(rig.folder, "fetch.ts");
  Deno.writeTextFileSync(file, script);
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "-q",
      "--no-check",
      "--config",
      new URL("../../../deno.json", import.meta.url).pathname,
      file,
    ],
    stdout: "null",
    stderr: "null",
  }).spawn();
  const staged = () => {
    try {
      return [...Deno.readDirSync(to)].filter(({ name }) => existsSync(join(to, name, "lock")));
    } catch {
      return [];
    }
  };
  for (let turn = 0; turn < 5000 && staged().length === 0; turn++) {
    await new Promise((go) => setTimeout(go, 2));
  }
  child.kill("SIGKILL");
  await child.status;
  assert.equal(staged().length, 1);
  await fetchFrom(rig, ["a"]);
  assert.deepEqual(results(rig), { "a": "file a" });
});
