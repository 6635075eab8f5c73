import assert from "node:assert/strict";
import { join } from "node:path";
import { DiagnosticsError } from "../../../../src/document/diagnostic.ts";
import { diagnosticsOf, loadText } from "../../../support/pipeline_files.ts";
import { tempDir } from "../../../support/temp_dir.ts";

const FILE = `
inputs:
  epochs: { type: integer, default: 3, min: 1, max: 100 }
  lr: { type: number, default: 0.1 }
  fast: { type: boolean, default: false }
  mode: { options: [train, eval], default: train }
  tag: { pattern: "v[0-9]+", default: v1 }
  out-dir: { type: path, default: results }
  note: {}
steps:
  - { id: a, run: echo }
`;

Deno.test("inputs have the types that are declared", async () => {
  const { pipeline } = await loadText(FILE);
  assert.deepEqual(pipeline.inputs, {
    "epochs": 3,
    "lr": 0.1,
    "fast": false,
    "mode": "train",
    "tag": "v1",
    "out-dir": "results",
    "note": null,
  });
  assert.deepEqual(pipeline.scopes[""]?.inputs, pipeline.inputs);
});

Deno.test("flags go before the inputs file, the file before the environment", async () => {
  using folder = tempDir();
  const inputsFile = join(folder.path, "inputs.yaml");
  Deno.writeTextFileSync(inputsFile, "epochs: 5\nlr: 1e-4\n");
  const { pipeline } = await loadText(FILE, {
    inputs: { epochs: "7" },
    inputsFile,
    env: { GRID_INPUT_EPOCHS: "9", GRID_INPUT_LR: "9", GRID_INPUT_OUT_DIR: "elsewhere" },
  });
  assert.equal(pipeline.inputs["epochs"], 7);
  assert.equal(JSON.stringify(pipeline.inputs["lr"]), "1e-4");
  assert.equal(pipeline.inputs["out-dir"], "elsewhere");
});

const WRONG: readonly (readonly [string, string, RegExp])[] = [
  ["epochs", "3.5", /must be a whole number, is "3.5" \(from -i\)/],
  ["epochs", "0", /must be at least 1, is 0/],
  ["epochs", "101", /must be at most 100, is 101/],
  ["lr", "fast", /must be a number, is "fast"/],
  ["fast", "yes", /must be true or false, is "yes"/],
  ["mode", "test", /must be one of train, eval, is "test"/],
  ["tag", "version1", /must match v\[0-9\]\+, is "version1"/],
];

for (const [name, value, message] of WRONG) {
  Deno.test(`input ${name} refuses ${value}`, async () => {
    await assert.rejects(() => loadText(FILE, { inputs: { [name]: value } }), (error) => {
      assert.ok(error instanceof DiagnosticsError);
      assert.equal(error.code, "input-invalid");
      assert.equal(error.exitCode, 2);
      assert.match(error.message, message);
      return true;
    });
  });
}

Deno.test("an unknown input has a suggestion", async () => {
  const [found] = await diagnosticsOf(FILE, { inputs: { epoch: "3" } });
  assert.equal(found?.rule, "unknown-input");
  assert.equal(found?.hint, 'did you mean "epochs"?');
});

Deno.test("a mistake in the inputs file is shown there", async () => {
  using folder = tempDir();
  const inputsFile = join(folder.path, "inputs.yaml");
  Deno.writeTextFileSync(inputsFile, "lr: 0.5\nepochs: many\nmodel: x\n");
  const found = await diagnosticsOf(FILE, { inputsFile });
  assert.deepEqual(found.map(({ place, rule }) => [place.file, place.line, place.column, rule]), [
    [inputsFile, 2, 9, "bad-input"],
    [inputsFile, 3, 8, "unknown-input"],
  ]);
});

Deno.test("a required input must be given, but not to validate", async () => {
  const file = "inputs: { data: { required: true } }\nsteps:\n  - { id: a, run: echo }\n";
  const [found] = await diagnosticsOf(file);
  assert.equal(found?.rule, "missing-input");
  assert.match(found?.hint ?? "", /-i data=…, or set GRID_INPUT_DATA/);
  assert.deepEqual(await diagnosticsOf(file, { requireInputs: false }), []);
  const { pipeline } = await loadText(file, { env: { GRID_INPUT_DATA: "x" } });
  assert.equal(pipeline.inputs["data"], "x");
});
