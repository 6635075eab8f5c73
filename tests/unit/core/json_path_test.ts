import assert from "node:assert/strict";
import { valueAt } from "../../../src/core/json_path.ts";

const DOCUMENT = {
  loss: 0.5,
  runs: [{ score: 1 }, { score: null }],
  "val loss": { 'a"b': true },
  none: {},
};

Deno.test("valueAt() finds what a path names", () => {
  assert.equal(valueAt(DOCUMENT, ".loss"), 0.5);
  assert.equal(valueAt(DOCUMENT, "loss"), 0.5);
  assert.equal(valueAt(DOCUMENT, ".runs[0].score"), 1);
  assert.equal(valueAt(DOCUMENT, ".runs[1].score"), null);
  assert.equal(valueAt(DOCUMENT, '["val loss"]["a\\"b"]'), true);
  assert.deepEqual(valueAt(DOCUMENT, "."), DOCUMENT);
  assert.equal(valueAt([1, 2], "[1]"), 2);
});

Deno.test("valueAt() finds nothing where there is nothing, or the path is broken", () => {
  for (
    const path of [".no", ".runs[2]", ".runs.score", ".loss.x", ".runs[", "..", ".none.toString"]
  ) {
    assert.equal(valueAt(DOCUMENT, path), undefined, path);
  }
});
