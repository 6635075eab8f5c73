import assert from "node:assert/strict";
import { ResultsReader } from "../../../src/ray/results.ts";

function read(total: number, lines: readonly string[]) {
  const reader = new ResultsReader(total);
  lines.forEach((line) => reader.line(line));
  return reader.outcome();
}

Deno.test("ResultsReader brings results into the order of the tasks", () => {
  assert.deepEqual(
    read(3, [
      '{"index": 2, "ok": true, "value": "c"}',
      '{"index": 0, "ok": true, "value": {"a": 1}}',
      '{"index": 1, "ok": false, "error": "ValueError: b"}',
    ]),
    {
      results: [
        { ok: true, value: { a: 1 } },
        { ok: false, error: "ValueError: b" },
        { ok: true, value: "c" },
      ],
      failed: 1,
    },
  );
});

Deno.test("ResultsReader believes the last word on a task", () => {
  const lines = ['{"index": 0, "ok": false, "error": "x"}', '{"index": 0, "ok": true, "value": 1}'];
  assert.deepEqual(read(1, lines), { results: [{ ok: true, value: 1 }], failed: 0 });
});

Deno.test("ResultsReader passes over lines cut short and tasks that do not exist", () => {
  const lines = ['{"index": 0, "o', "", '{"index": 7, "ok": true}', '{"index": 0, "ok": true}'];
  assert.deepEqual(read(1, lines), { results: [{ ok: true, value: null }], failed: 0 });
});

Deno.test("ResultsReader counts the tasks without an outcome", () => {
  assert.throws(() => read(3, ['{"index": 1, "ok": true, "value": 1}']), {
    code: "ray",
    message: "Cannot collect the results: 2 of 3 are missing",
  });
});
