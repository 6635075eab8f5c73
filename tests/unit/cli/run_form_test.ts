import assert from "node:assert/strict";
import { join } from "node:path";
import { checkForm, fileInstead } from "../../../src/cli/run_form.ts";
import { tempDir } from "../../support/temp_dir.ts";

const NOTHING = { input: [], label: [], exitCode: "grid" };

Deno.test("checkForm() lets each form have its own options", () => {
  checkForm("a.yaml", { ...NOTHING, input: ["a=b"], from: "x", failFast: true, maxOutput: 1 });
  checkForm("nvidia-smi", { ...NOTHING, node: "gpu1", label: ["a100"], timeout: 1, maxOutput: 1 });
});

Deno.test("checkForm() names the options that are for the other form", () => {
  assert.throws(
    () => checkForm("a.yaml", { ...NOTHING, timeout: 1000, gpus: 3, label: ["zz"], node: "n" }),
    {
      code: "usage",
      message: "Cannot run a pipeline file with --node, --gpus, --label, --timeout: " +
        "they are for a command",
      hint: "in a pipeline file, each step says it: node: gpu1",
    },
  );
  assert.throws(() => checkForm("echo x", { ...NOTHING, input: ["a=b"] }), {
    code: "usage",
    message: "Cannot run a command with --input: it is for a pipeline file",
  });
});

Deno.test("checkForm() says how a command asks for what a selector would", () => {
  assert.throws(() => checkForm("date", { ...NOTHING, node: "{ gpus: 4, gpu: A100 }" }), {
    code: "usage",
    hint: /^--gpus 4 --gpu A100 /,
  });
});

Deno.test("checkForm() refuses a command without a word", () => {
  assert.throws(() => checkForm(" \n", NOTHING), {
    code: "usage",
    message: "Cannot run an empty command",
  });
});

Deno.test("fileInstead() finds the pipeline whose name was run as a command", () => {
  using folder = tempDir();
  Deno.mkdirSync(join(folder.path, "pipelines"));
  Deno.writeTextFileSync(join(folder.path, "pipelines", "train.yaml"), "");
  Deno.writeTextFileSync(join(folder.path, "sweep.yml"), "");
  assert.equal(fileInstead("train", folder.path), "pipelines/train.yaml");
  assert.equal(fileInstead("sweep", folder.path), "sweep.yml");
  for (const command of ["ls", "train -v", "./train", "../train"]) {
    assert.equal(fileInstead(command, folder.path), undefined);
  }
});
