import assert from "node:assert/strict";
import { FinishedTasks } from "../../../src/ray/finished_tasks.ts";

Deno.test("FinishedTasks gives back successes only, as lines of a results file", () => {
  const finished = new FinishedTasks();
  finished.remember("a", [{ ok: true, value: 1 }, { ok: false, error: "x" }, undefined]);
  assert.equal(finished.lines("a"), '{"index": 0, "ok": true, "value": 1}\n');
  assert.equal(finished.lines("b"), "");
});

Deno.test("FinishedTasks forgets nothing when a later attempt knows less", () => {
  const finished = new FinishedTasks();
  finished.remember("a", [{ ok: true, value: 1 }, undefined]);
  finished.remember("a", [undefined, { ok: true, value: 2 }]);
  const values = finished.lines("a").trim().split("\n").map((line) => JSON.parse(line).value);
  assert.deepEqual(values, [1, 2]);
});
