import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { absentFileHint } from "../../../src/steps/absent_file.ts";
import { SyncedFiles } from "../../../src/steps/synced_files.ts";
import { openStepRig, stepRequest } from "../../support/step_rig.ts";
import { tempDir } from "../../support/temp_dir.ts";

const NODE_FOLDER = "/ws/app";

/** What is advised where a command on a node said this, and the project here has `train.py` and `data/x.bin`. */
async function hintOf(
  stderr: string,
  { isSynced = true, isBare = false, below = "." } = {},
): Promise<string | undefined> {
  await using rig = openStepRig();
  using project = tempDir();
  writeFileSync(join(project.path, "train.py"), "");
  mkdirSync(join(project.path, "data"));
  writeFileSync(join(project.path, "data/x.bin"), "");
  const files = new SyncedFiles();
  const entry = { type: "file", executable: false, size: 0, content: "mtime:1" } as const;
  if (isSynced) files.add(project.path, [{ path: "train.py", ...entry }]);
  const tree = {
    root: "/ws",
    key: "app",
    folder: NODE_FOLDER,
    digest: "",
    entries: 1,
    writes: [],
  };
  const request = stepRequest({
    action: { kind: "run", run: "true" },
    pipeline: "command",
    isBare,
    ...(isSynced && { trees: { here: tree } }),
  });
  const run = { owner: { folder: project.path } };
  const node = { ...rig.node, root: "/ws" };
  const found = absentFileHint(stderr, {
    node,
    spec: { cwd: join(isSynced ? NODE_FOLDER : "/ws", below) },
    request,
    trees: { run, files },
  });
  return found?.hint.replaceAll(basename(project.path), "PROJECT");
}

Deno.test("a file that is here and that the sync leaves out is told, in whatever words it was missed", async () => {
  const said = [
    "ls: cannot access 'data/x.bin': No such file or directory\n",
    "cat: data/x.bin: No such file or directory",
    "grid: 1: eval: cannot open data/x.bin: No such file",
    "Traceback\nFileNotFoundError: [Errno 2] No such file or directory: 'data/x.bin'\n",
    `python3: can't open file '${NODE_FOLDER}/data/x.bin': [Errno 2] No such file or directory`,
  ];
  for (const stderr of said) {
    assert.match(
      await hintOf(stderr) ?? "",
      /^data\/x\.bin is here, and the sync leaves it out: grid/,
    );
  }
  const below = await hintOf("cat: x.bin: No such file or directory", {
    below: "data",
  });
  assert.match(below ?? "", /^data\/x\.bin is here/);
});

Deno.test("a file that no sync brought is told, and a command by itself how to have it", async () => {
  const stderr = "python3: can't open file '/ws/train.py': [Errno 2] No such file or directory";
  assert.match(
    await hintOf(stderr, { isSynced: false }) ?? "",
    /^train\.py is here, and no sync before this step brought it to here: see its needs:/,
  );
  assert.equal(
    await hintOf(stderr, { isSynced: false, isBare: true }),
    "train.py is here, and a command by itself brings no files: grid sync --to here, then " +
      "grid run --node here 'cd PROJECT && …'; a pipeline does both",
  );
});

Deno.test("nothing is told of a file that is not here, was brought, or lies outside", async () => {
  for (
    const stderr of [
      "cat: nowhere.txt: No such file or directory",
      "cat: train.py: No such file or directory",
      "cat: /etc/nothing: No such file or directory",
      "cat: ../train.py: No such file or directory",
      "killed",
      "",
    ]
  ) assert.equal(await hintOf(stderr), undefined, stderr);
});
