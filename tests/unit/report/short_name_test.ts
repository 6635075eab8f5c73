import assert from "node:assert/strict";
import { shortName } from "../../../src/report/short_name.ts";

Deno.test("shortName() keeps the end of a name, where cells of a matrix differ", () => {
  assert.equal(shortName("sweep[learning-rate=1e-4,seed=2]", 19), "sweep[…1e-4,seed=2]");
  assert.equal(shortName("exactly", 7), "exactly");
  for (let longest = 3; longest < 12; longest++) {
    assert.equal(shortName("a name of some length", longest).length, longest);
  }
});
