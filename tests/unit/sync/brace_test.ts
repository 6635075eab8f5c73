import assert from "node:assert/strict";
import { expandBraces } from "../../../src/sync/brace.ts";

Deno.test("expandBraces() gives a pattern for each alternative, nested ones too", () => {
  assert.deepEqual(expandBraces("a/*.{csv,json}"), ["a/*.csv", "a/*.json"]);
  assert.deepEqual(expandBraces("{a,{b,c}}/x").toSorted(), ["a/x", "b/x", "c/x"]);
  assert.deepEqual(expandBraces("a{,}{b,b}"), ["ab"]);
  assert.deepEqual(expandBraces("plain{}[ab]"), ["plain{}[ab]"]);
});

Deno.test("expandBraces() comes to an end whatever it is given", () => {
  assert.ok(expandBraces("{a,b}".repeat(50)).length <= 64);
});
