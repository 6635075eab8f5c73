import assert from "node:assert/strict";
import { join } from "node:path";
import { pipelinesAt } from "../../../src/cli/pipeline_folder.ts";
import { scheduleFiles } from "../../../src/cli/schedule_files.ts";
import { tempDir } from "../../support/temp_dir.ts";

function write(folder: string, files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    Deno.writeTextFileSync(join(folder, name), text);
  }
}

Deno.test("what cannot be read in a folder is named, and hides none of the others", () => {
  using dir = tempDir();
  write(dir.path, { "good.yaml": "steps: []\n", "data.yaml": "rows: []\n" });
  Deno.symlinkSync("/nowhere/at/all", join(dir.path, "gone.yaml"));
  Deno.symlinkSync("loop.yaml", join(dir.path, "loop.yaml"));
  Deno.mkdirSync(join(dir.path, "folder.yaml"));
  assert.deepEqual(pipelinesAt(".", dir.path), ["gone.yaml", "good.yaml", "loop.yaml"]);
});

Deno.test("an editor's mark beside a file is no pipeline", () => {
  using dir = tempDir();
  write(dir.path, { "night.yaml": "steps: []\n", ".hidden.yaml": "steps: []\n" });
  Deno.symlinkSync("ann@host.4711:1", join(dir.path, ".#night.yaml"));
  assert.deepEqual(pipelinesAt(".", dir.path), [".hidden.yaml", "night.yaml"]);
});

Deno.test("pipes and links to folders are passed over, and nobody waits for them", () => {
  using dir = tempDir();
  write(dir.path, { "a.yaml": "name: a\nsteps: []\n" });
  const { success } = new Deno.Command("mkfifo", { args: [join(dir.path, "pipe.yaml")] })
    .outputSync();
  assert.ok(success);
  Deno.symlinkSync("/", join(dir.path, "root.yaml"));
  assert.deepEqual(pipelinesAt(".", dir.path), ["a.yaml"]);
});

Deno.test("a pipeline is known by its key steps, however that is written", () => {
  using dir = tempDir();
  write(dir.path, {
    "bom.yaml": "\ufeffsteps: []\n",
    "quoted.yaml": 'name: q\r\n"steps" : []\r\n',
    "inner.yaml": "jobs:\n  steps: []\n",
    "large.yaml": `${"# data\n".repeat(1 << 20)}steps: []\n`,
  });
  assert.deepEqual(pipelinesAt(".", dir.path), ["bom.yaml", "quoted.yaml"]);
});

Deno.test("a link to a pipeline that has a name of its own begins no second run", () => {
  using dir = tempDir();
  Deno.mkdirSync(join(dir.path, "pipelines"));
  write(join(dir.path, "pipelines"), { "night.yaml": "steps: []\n" });
  write(dir.path, { "elsewhere.yaml": "steps: []\n" });
  Deno.symlinkSync("night.yaml", join(dir.path, "pipelines/a_latest.yaml"));
  Deno.symlinkSync("../elsewhere.yaml", join(dir.path, "pipelines/b.yaml"));
  Deno.symlinkSync("../elsewhere.yaml", join(dir.path, "pipelines/c.yaml"));
  assert.deepEqual(
    scheduleFiles([join(dir.path, "pipelines")], dir.path),
    ["pipelines/b.yaml", "pipelines/night.yaml"],
  );
});
