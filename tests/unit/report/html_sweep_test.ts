import assert from "node:assert/strict";
import { parseJson } from "../../../src/core/exact_json.ts";
import { replay } from "../../../src/engine/reduce.ts";
import { runDocument } from "../../../src/report/document_writer.ts";
import { anchorsOf } from "../../../src/report/html_parts.ts";
import { renderSweeps } from "../../../src/report/html_sweep.ts";
import type { RunDocument } from "../../../src/report/run_document.ts";
import { aimOf } from "../../../src/report/sweep_aim.ts";
import { sweepRun } from "../../support/page_runs.ts";
import { succeededRun } from "../../support/sample_runs.ts";

function documentOf(events: ReturnType<typeof sweepRun>): RunDocument {
  const state = replay(events);
  assert.ok(state);
  return runDocument(state, { logOf: () => null, transports: [] });
}

function sweepOf(report: RunDocument) {
  const markup = renderSweeps(report, anchorsOf(report));
  const heads = [...markup.matchAll(/<span class="col">([^<]*)<\/span>(?:\s*<small>([^<]*))?/g)]
    .map(([, name, hint]) => hint ? `${name}: ${hint}` : name);
  const rows = [...markup.matchAll(/<tr id="ws\d+"><th scope="row">.*?<\/tr>/g)].map(([row]) =>
    row
  );
  return { markup, heads, rows };
}

Deno.test("renderSweeps() has a column for each axis and output, and a row for each cell", () => {
  const { heads, rows } = sweepOf(documentOf(sweepRun()));
  assert.deepEqual(heads, [
    ...["cell", "lr", "optimizer", "seed", "accuracy: higher is better"],
    ...["val_loss: lower is better", "parameters", "time"],
  ]);
  assert.equal(rows.length, 12);
  assert.match(
    rows[0] ?? "",
    /href="#s1">succeeded<.*>0\.0001<.*>adam<.*>1<.*0\.911<.*0\.41<.*>1204000</,
  );
});

Deno.test("renderSweeps() marks the best and shades from least to most, but not what is all the same", () => {
  const { rows } = sweepOf(documentOf(sweepRun()));
  const best = rows.map((row) => row.split("★").length - 1);
  assert.deepEqual(best, [0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0]);
  assert.match(rows[9] ?? "", /class="number h5">.*★.*0\.952/);
  assert.match(rows[2] ?? "", /class="number h0">0\.898/);
  assert.match(rows[2] ?? "", /class="number">1204000/);
});

Deno.test("renderSweeps() keeps numbers as they were written, and shows cells that have none", () => {
  const report = documentOf(sweepRun());
  const lr = parseJson("1e-4");
  const steps = report.steps.map((step, at) =>
    at === 0 ? { ...step, matrix: { lr, list: [1, 2] }, outputs: {} } : step
  );
  const { heads, rows } = sweepOf({ ...report, steps });
  assert.ok(heads.includes("list"));
  assert.match(rows[0] ?? "", />1e-4<\/td><td class="word">\[1,2\]<\/td>(<td><\/td>){5}<td/);
});

Deno.test("renderSweeps() takes text that is a number for one, for all cells or for none", () => {
  const report = documentOf(sweepRun());
  const withOutputs = (outputOf: (at: number) => string) => {
    const steps = report.steps.map((step, at) => ({
      ...step,
      matrix: step.matrix && { lr: `${at + 1}e-3` },
      outputs: step.matrix ? { accuracy: outputOf(at), commit: `${at}e1x` } : {},
    }));
    return sweepOf({ ...report, steps });
  };
  const { heads, rows } = withOutputs((at) => `0.${10 + at}`);
  assert.ok(heads.includes("accuracy: higher is better"), heads.join());
  assert.match(
    rows[11] ?? "",
    /class="number">12e-3<.*class="number h5">.*★.*0\.21<.*"word">11e1x</,
  );
  const mixed = withOutputs((at) => at === 3 ? "diverged" : `0.${10 + at}`);
  assert.ok(mixed.heads.includes("accuracy"), mixed.heads.join());
});

Deno.test("renderSweeps() has one table for each matrix, and none without one", () => {
  const report = documentOf(sweepRun());
  const again = report.steps.map((step) => ({
    ...step,
    id: `b/${step.id}`,
    group: step.group && "b/try",
  }));
  const { markup } = sweepOf({ ...report, steps: [...report.steps, ...again] });
  assert.deepEqual([...markup.matchAll(/<h3>([^<]*)/g)].map(([, name]) => name), ["try", "b/try"]);
  assert.equal(sweepOf(documentOf(succeededRun())).markup, "");
});

Deno.test("aimOf() tells what is better by name, and nothing where it cannot tell", () => {
  for (
    const name of ["accuracy", "val_acc", "testAccuracy", "top-1 accuracy", "F1", "mean_reward"]
  ) {
    assert.equal(aimOf(name), "most", name);
  }
  for (const name of ["loss", "val_loss", "trainLoss", "rmse", "error_rate", "perplexity"]) {
    assert.equal(aimOf(name), "least", name);
  }
  for (const name of ["epochs", "lossless", "score_loss", "seed", "", "size"]) {
    assert.equal(aimOf(name), undefined, name);
  }
});
