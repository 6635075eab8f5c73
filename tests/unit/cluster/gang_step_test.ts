import assert from "node:assert/strict";
import { gangStepWords, readGangStep } from "../../../src/cluster/gang_step.ts";

Deno.test("what a gang's claim says is read as it was meant, and no other step is taken for one", () => {
  for (
    const step of [{ step: "all", nodes: 4 }, { step: "g/all[a=1, b=2]", nodes: 1000, rank: 0 }]
  ) {
    assert.deepEqual(readGangStep(gangStepWords(step)), step);
  }
  for (
    const step of ["", "all", "all[n=3 nodes]", "rank 1 of 3 nodes", ", 3 nodes", "a, 12345 nodes"]
  ) {
    assert.deepEqual(readGangStep(step), { step });
  }
});
