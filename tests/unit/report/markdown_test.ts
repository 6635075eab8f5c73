import assert from "node:assert/strict";
import { reduce, type RunState } from "../../../src/engine/reduce.ts";
import { runDocument } from "../../../src/report/document_writer.ts";
import { renderMarkdown } from "../../../src/report/markdown.ts";
import type { RunDocument } from "../../../src/report/run_document.ts";
import { assertGolden } from "../../support/golden.ts";
import { failedRun } from "../../support/sample_runs.ts";

function failedReport(): RunDocument {
  const state = failedRun().reduce<RunState | undefined>(reduce, undefined);
  assert.ok(state);
  return runDocument(state, { logOf: () => null, transports: [] });
}

Deno.test("renderMarkdown() tells the result, every step, and what the failed one said last", () => {
  const tail = (step: string) => step === "train" ? ["epoch 3", "CUDA out of memory"] : [];
  assertGolden("report/failed.md", renderMarkdown(failedReport(), { tail }));
});

Deno.test("renderMarkdown() makes nothing but text of whatever names, messages and output hold", () => {
  const report = failedReport();
  const hostile = "a|b\n# <img src=x> `c` [d](e) **f** ~~g~~ ![h](i) @ada \\";
  const steps = report.steps.map((step) => ({
    ...step,
    id: hostile,
    reason: null,
    failure: step.failure && { ...step.failure, message: hostile },
  }));
  const text = renderMarkdown({ ...report, pipeline: hostile, warnings: [hostile], steps }, {
    tail: () => ["```", "</details>", "````"],
  });
  // The closing fence and the opening one are longer than any in the text.
  const [before = "", fenced = "", after = ""] = text.split(/^`{5}(?:text)?$/m);
  assert.doesNotMatch(before + after, /<img|\]\(|\*\*|~~|`c`|@ada|^# /m);
  assert.equal(fenced, "\n```\n</details>\n````\n");
  const rows = text.split("\n").filter((line) => line.startsWith("| "));
  assert.ok(rows.length > 4 && rows.every((row) => row.match(/\|/g)?.length === 6), text);
});

Deno.test("renderMarkdown() stays small enough for the page, with what went wrong first", () => {
  const report = failedReport();
  const [step] = report.steps.filter(({ failure }) => failure !== null);
  assert.ok(step);
  const fine = { ...step, state: "succeeded" as const, failure: null };
  const message = "x".repeat(100_000);
  const bad = { ...step, id: "bad", failure: { ...step.failure, message } as typeof step.failure };
  const steps = [...Array.from({ length: 5000 }, () => fine), bad];
  const text = renderMarkdown({ ...report, steps }, {
    tail: () => Array.from({ length: 30 }, () => "y".repeat(100_000)),
  });
  assert.ok(text.length < 512 * 1024, String(text.length));
  assert.match(text.split("\n").find((line) => line.includes("failed |")) ?? "", /^\| bad /);
  assert.match(text, /… and 4901 more steps/);
});
