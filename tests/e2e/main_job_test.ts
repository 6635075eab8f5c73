import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { grid, project, REPOSITORY } from "../support/cli.ts";
import { testWith } from "../support/requires.ts";

testWith(["python3"], "the main job trains a model, and a second run syncs nothing", async () => {
  using folder = project({});
  for (const name of ["examples", "pipelines"]) {
    Deno.symlinkSync(join(REPOSITORY, name), join(folder.path, name));
  }
  const options = { cwd: folder.path, timeoutMs: 120_000 };
  const first = await grid(["run", "pipelines/train.yaml"], options);
  assert.equal(first.code, 0, first.stderr);
  const accuracy = /accuracy\D{0,12}(0\.\d+)/.exec(first.stderr)?.[1];
  assert.ok(Number(accuracy) >= 0.9, first.stderr);
  assert.match(first.stderr, /report\.html|report\.json/);
  for (const file of ["model.json", "metrics.json"]) {
    assert.ok(existsSync(join(folder.path, "results", "digits", file)), file);
  }

  const second = await grid(["run", "pipelines/train.yaml", "--json"], options);
  assert.equal(second.code, 0, second.stderr);
  const code = JSON.parse(second.stdout).steps
    .find((step: { kind: string }) => step.kind === "sync");
  assert.equal(code.attempts[0].syncs.length, 2);
  for (const sync of code.attempts[0].syncs) assert.equal(sync.sent, 0);
});
