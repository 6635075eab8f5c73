import assert from "node:assert/strict";
import {
  durationMs,
  keyValues,
  nameList,
  positiveInteger,
} from "../../../src/cli/option_values.ts";

Deno.test("keyValues() splits at the first equals sign, and the last of two wins", () => {
  assert.deepEqual(keyValues(["a=1", "b=x=y", "a=2", "c="]), { a: "2", b: "x=y", c: "" });
});

Deno.test("keyValues() refuses a word without a name", () => {
  for (const word of ["epochs", "=5", ""]) {
    assert.throws(() => keyValues([word]), { code: "usage", message: /name=value/ });
  }
});

Deno.test("positiveInteger() takes whole numbers above 0 only", () => {
  assert.equal(positiveInteger("12"), 12);
  for (const word of ["0", "-1", "1.5", "many", ""]) assert.throws(() => positiveInteger(word));
});

Deno.test("durationMs() wants a unit", () => {
  assert.equal(durationMs("1m30s"), 90_000);
  for (const word of ["30", "0s", "soon"]) assert.throws(() => durationMs(word), /unit/);
});

Deno.test("nameList() splits at commas and drops blanks", () => {
  assert.deepEqual(nameList("gpu1, gpu2,"), ["gpu1", "gpu2"]);
  assert.throws(() => nameList(" , "));
});
