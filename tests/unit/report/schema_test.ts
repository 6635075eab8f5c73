/** `config/report.schema.json` against what is written, and against what must not be. */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  type JsonShape,
  KNOWN_KEYWORDS,
  ShapeChecker,
} from "../../../src/document/shape/json_shape.ts";
import { replay } from "../../../src/engine/reduce.ts";
import { runDocument, type RunDocumentOptions } from "../../../src/report/document_writer.ts";
import { renderJson } from "../../../src/report/json.ts";
import { REPOSITORY } from "../../support/cli.ts";
import { sweepRun } from "../../support/page_runs.ts";
import { commandRun, failedRun, longRun, succeededRun } from "../../support/sample_runs.ts";

const SCHEMA: JsonShape = JSON.parse(
  Deno.readTextFileSync(join(REPOSITORY, "config", "report.schema.json")),
);

function documentOf(
  events: ReturnType<typeof failedRun>,
  options: Partial<RunDocumentOptions> = {},
) {
  const state = replay(events);
  assert.ok(state);
  return JSON.parse(
    renderJson(runDocument(state, { logOf: () => null, transports: [], ...options })),
  );
}

Deno.test("report.json fits its schema, whatever became of the run, at any moment", () => {
  const checker = new ShapeChecker(SCHEMA);
  const runs = [succeededRun(), failedRun(), commandRun(0), commandRun(3), longRun(2), sweepRun()];
  for (const events of runs) {
    for (let at = 1; at <= events.length; at++) {
      for (const stoppedAt of [undefined, events[at - 1]?.at]) {
        const document = documentOf(events.slice(0, at), { stoppedAt });
        assert.ok(checker.fits(document), JSON.stringify(document));
      }
    }
  }
});

Deno.test("report.json of a batch fits with all that batches tell", () => {
  const events = succeededRun().map((event) =>
    event.type === "batch.progressed"
      ? { ...event, perSecond: 2.5, leftMs: 100, busyMs: { "gpu1 0": 3_000 } }
      : event
  );
  assert.ok(new ShapeChecker(SCHEMA).fits(documentOf(events)));
});

Deno.test("report.json that lacks a field, or has one more, does not fit", () => {
  const checker = new ShapeChecker(SCHEMA);
  const good = documentOf(failedRun());
  for (const key of Object.keys(good)) {
    const { [key]: _, ...rest } = good;
    assert.ok(!checker.fits(rest), key);
  }
  for (const key of Object.keys(good.steps[0])) {
    const { [key]: _, ...rest } = good.steps[0];
    assert.ok(!checker.fits({ ...good, steps: [rest] }), `steps[0].${key}`);
  }
  assert.ok(!checker.fits({ ...good, more: 1 }));
  assert.ok(!checker.fits({ ...good, result: "unknown" }));
});

Deno.test("the schema says nothing that the checker here passes over", () => {
  const unknown: string[] = [];
  const visit = (shape: unknown, names: boolean): void => {
    if (typeof shape !== "object" || shape === null) return;
    for (const [key, inner] of Object.entries(shape)) {
      if (!names && !Array.isArray(shape) && !KNOWN_KEYWORDS.has(key)) unknown.push(key);
      visit(inner, key === "properties" || key === "$defs");
    }
  };
  visit(SCHEMA, false);
  assert.deepEqual(unknown, []);
});

Deno.test("a run whose runner died is stopped in its report, and so is what was under way", () => {
  const events = succeededRun().slice(0, 16);
  const stoppedAt = events.at(-1)?.at ?? 0;
  const { result, finishedAt, durationMs, steps, counts } = documentOf(events, { stoppedAt });
  assert.deepEqual([result, finishedAt], ["stopped", new Date(stoppedAt).toISOString()]);
  assert.ok(durationMs > 0);
  const train = steps.find(({ id }: { id: string }) => id === "train");
  assert.deepEqual([train.state, train.attempts[0].result], ["stopped", "stopped"]);
  assert.deepEqual(counts, { succeeded: 2, stopped: 1, pending: 2 });
});
