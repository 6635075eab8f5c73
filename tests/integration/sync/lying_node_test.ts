/** A node that lies: nothing that it says or sends is written outside, or unasked. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { GridError } from "../../../src/core/errors.ts";
import { fetchFiles } from "../../../src/sync/fetch.ts";
import { transportWithPrograms } from "../../support/node_programs.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { readTree, startSyncRig, type SyncRig, writeFiles } from "../../support/sync_rig.ts";

interface Liar {
  /** Names that its `find` prints beside the true ones. */
  readonly names?: readonly string[];
  /** Names that its `tar` puts into the archive, all with the content of `model.pt`. */
  readonly members?: readonly { readonly name: string; readonly type?: string; link?: string }[];
}

/** Runs `act` with a node that has `model.pt` and lies about it. */
async function withLiar(liar: Liar, act: (rig: SyncRig) => Promise<void>): Promise<void> {
  using temp = tempDir();
  const find = (liar.names ?? []).map((name) => `printf '%s\\0' ${quote(name)}`).join("\n");
  const members = JSON.stringify(liar.members ?? []);
  const tar = `[ "$1" = --version ] && exec echo 'tar (GNU tar) 1.34'
exec python3 -c '
import io, json, sys, tarfile
with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as archive:
    for member in json.loads(sys.argv[1]):
        info = tarfile.TarInfo(member["name"])
        info.type = member.get("type", "0").encode()
        info.linkname = member.get("link", "")
        info.size = 7 if info.type == b"0" else 0
        archive.addfile(info, io.BytesIO(b"weights") if info.size else None)
' ${quote(members)}`;
  const transport = transportWithPrograms(temp.path, {
    find: `${find}\nPATH=/usr/bin:/bin exec find "$@"`,
    ...(liar.members === undefined ? {} : { tar }),
  });
  await using rig = startSyncRig({ transport });
  writeFiles(rig.root, { "model.pt": "weights", "out/a.txt": "a" });
  await act(rig);
}

function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

function fetchTo(rig: SyncRig, from: readonly string[]) {
  return fetchFiles({
    transport: rig.transport,
    folder: rig.root,
    from,
    to: join(rig.folder, "deep/project/results"),
    signal: rig.options.signal,
  });
}

/** Only the folder itself may have been made. */
function assertNothingWritten(rig: SyncRig): void {
  if (!existsSync(join(rig.folder, "deep"))) return;
  const tree = readTree(join(rig.folder, "deep"));
  assert.deepEqual(Object.values(tree).filter((what) => what !== "folder"), []);
  assert.equal(existsSync(join(rig.folder, "pwned")), false);
}

const LIES: Readonly<Record<string, string>> = {
  "a name that leads upwards": "./out/../../../../pwned",
  "an absolute name": "/tmp/grid-pwned",
  "an empty part": "./out//pwned",
  "a dot part": "./out/./pwned",
  "a name beside what was asked for": "./other/pwned",
  "git's folder": "./out/.git/hooks/post-checkout",
  "git's folder in capitals": "./out/sub/.GIT/config",
  "Grid's folder": "./out/.grid/grid.db",
};

for (const [what, name] of Object.entries(LIES)) {
  Deno.test(`fetchFiles() refuses a node that names ${what}`, () =>
    withLiar({ names: [name] }, async (rig) => {
      await assert.rejects(fetchTo(rig, ["out"]), (error: GridError) => {
        assert.equal(error.exitCode, 1);
        assert.match(error.message, /"n1"/);
        assert.equal(error.message.includes(name.replace(/^\.\//, "")), true, error.message);
        return true;
      });
      assertNothingWritten(rig);
    }));
}

const WRONG_MEMBERS: Readonly<Record<string, NonNullable<Liar["members"]>>> = {
  "a file that was not asked for": [{ name: "./model.pt" }, { name: "./more.pt" }],
  "a name that leads upwards": [{ name: "./model.pt" }, { name: "./../../../pwned" }],
  "an absolute name": [{ name: "/tmp/grid-pwned" }],
  "the same file twice": [{ name: "./model.pt" }, { name: "./model.pt" }],
  "a hard link to a file of this machine": [{ name: "./model.pt", type: "1", link: "/etc/passwd" }],
  "a hard link that leads upwards": [{ name: "./model.pt", type: "1", link: "../../x" }],
  "a link": [{ name: "./model.pt", type: "2", link: "/etc/passwd" }],
  "a device": [{ name: "./model.pt", type: "3" }],
  "a pipe": [{ name: "./model.pt", type: "6" }],
  "a folder in place of a file": [{ name: "./model.pt", type: "5" }],
};

for (const [what, members] of Object.entries(WRONG_MEMBERS)) {
  Deno.test(`fetchFiles() refuses a node that sends ${what}`, () =>
    withLiar({ members }, async (rig) => {
      await assert.rejects(fetchTo(rig, ["model.pt"]), (error: GridError) => {
        assert.equal(error.exitCode, 1);
        assert.match(error.message, /"n1": it sent/);
        return true;
      });
      assertNothingWritten(rig);
    }));
}

Deno.test("fetchFiles() brings neither .git nor .grid home, at any depth", async () => {
  await using rig = startSyncRig();
  writeFiles(rig.root, {
    "out/a.txt": "a",
    "out/.gitignore": "x",
    "out/.git/hooks/post-checkout": "x",
    "out/sub/.grid/grid.db": "x",
    "out/sub/.Git/config": "x",
    ".grid/jobs/1/out": "x",
  });
  const report = await fetchTo(rig, ["."]);
  assert.deepEqual(report.files, ["out/.gitignore", "out/a.txt"]);
  for (const path of [".git", "out/.git/hooks/post-checkout", "out/.GRID"]) {
    await assert.rejects(fetchTo(rig, [path]), /never travel/);
  }
});

Deno.test("fetchFiles() writes through no link that leads out of its folder", async () => {
  await using rig = startSyncRig();
  writeFiles(rig.root, { "out/sub/a.txt": "new", "last.pt": "new" });
  const results = join(rig.folder, "deep/project/results");
  const outside = join(rig.folder, "outside");
  Deno.mkdirSync(join(results, "out"), { recursive: true });
  writeFiles(outside, { "a.txt": "old", "last.pt": "old" });
  Deno.symlinkSync(outside, join(results, "out/sub"));
  await assert.rejects(fetchTo(rig, ["out"]), /out\/sub": it is a link that leads out of/);
  assert.equal(Deno.readTextFileSync(join(outside, "a.txt")), "old");
  // A link at the very place of a file is replaced.
  Deno.symlinkSync(join(outside, "last.pt"), join(results, "last.pt"));
  await fetchTo(rig, ["last.pt"]);
  assert.equal(Deno.readTextFileSync(join(outside, "last.pt")), "old");
  assert.equal(Deno.readTextFileSync(join(results, "last.pt")), "new");
  // One that stays inside may stand where a folder belongs.
  Deno.removeSync(join(results, "out/sub"));
  Deno.mkdirSync(join(results, "store"));
  Deno.symlinkSync("../store", join(results, "out/sub"));
  await fetchTo(rig, ["out"]);
  assert.equal(Deno.readTextFileSync(join(results, "store/a.txt")), "new");
});
