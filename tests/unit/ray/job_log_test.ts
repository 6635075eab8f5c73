import assert from "node:assert/strict";
import fc from "fast-check";
import { JobLog } from "../../../src/ray/job_log.ts";

Deno.test("JobLog hands on every character once, however connections break", () => {
  const log = "0123456789abcdefghijklmnopqrstuvwxyz";
  // Every connection starts at the front and breaks somewhere; at the end the whole is read.
  const connection = fc.record({ pieces: fc.array(fc.integer({ min: 1, max: 9 })) });
  fc.assert(fc.property(fc.array(connection), (connections) => {
    let passed = "";
    const reader = new JobLog((text) => passed += text);
    for (const { pieces } of connections) {
      let at = 0;
      for (const length of pieces) {
        reader.push(log.slice(at, at + length), at);
        at = Math.min(log.length, at + length);
      }
    }
    reader.push(log, 0);
    assert.equal(passed, log);
  }));
});
