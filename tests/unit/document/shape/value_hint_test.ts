import assert from "node:assert/strict";
import { valueHint } from "../../../../src/document/shape/value_hint.ts";

const HINTS: readonly (readonly [string, unknown, string | undefined])[] = [
  ["text", 2024, 'put it in quotes: "2024"'],
  ["text", ["a"], "write one value"],
  ["text or a list", { job: "a" }, "write the names alone"],
  ["a list", { a: 1 }, "put - before each entry"],
  ["a list", "a", "write [a]"],
  ["a list", 3, "write [3]"],
  ["a list", "two words", undefined],
  ["a number or a map", [1], "write its keys below it, without -"],
  ["a whole number", 1.5, "write a whole number"],
  ["a whole number", "3", "write 3 without quotes"],
  ["a number", "many", "write a number, such as 1"],
  ["true or false", "yes", "write true"],
  ["true or false", "off", "write false"],
  ["true or false", "true", "write true without quotes"],
  ["true or false", "never", "write true or false"],
  ["a number", "${{ inputs.n }}", "an expression is not possible here"],
  ["a list", undefined, undefined],
];

for (const [expected, found, hint] of HINTS) {
  Deno.test(`valueHint() for ${JSON.stringify(found)} where ${expected} stands`, () => {
    assert.equal(valueHint(expected, found), hint);
  });
}
