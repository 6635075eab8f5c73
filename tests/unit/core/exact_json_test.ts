import assert from "node:assert/strict";
import fc from "fast-check";
import { parseJson, pythonJson } from "../../../src/core/exact_json.ts";
import { ExactNumber } from "../../../src/core/exact_number.ts";
import { jsonText } from "../../support/json_texts.ts";

Deno.test("parseJson() keeps every digit, and writes it again", () => {
  const text = '{"id":1799999999999999999,"v":[3.10,1.0,-0.0,1e400,1e-05],"t":"1.0"}';
  assert.equal(JSON.stringify(parseJson(text)), text);
  assert.equal(pythonJson(parseJson(text)), text);
  assert.deepEqual(parseJson('{"a": [1, 2.5, "x", null, true]}'), { a: [1, 2.5, "x", null, true] });
});

Deno.test("parseJson() reads what Python writes for NaN and the infinities, outside of texts only", () => {
  const text = '{"loss": NaN, "acc": 0.5, "say": "NaN \\" -Infinity", "m": [-Infinity, Infinity]}';
  const value = parseJson(text) as Record<string, unknown>;
  assert.equal(value["acc"], 0.5);
  assert.equal(value["say"], 'NaN " -Infinity');
  assert.equal(String(value["loss"]), "NaN");
  assert.equal(pythonJson(value), text.replaceAll(/([:,]) /g, "$1"));
  assert.equal(
    JSON.stringify(value),
    '{"loss":"NaN","acc":0.5,"say":"NaN \\" -Infinity","m":["-Infinity","Infinity"]}',
  );
  assert.equal(pythonJson(["NaN", ExactNumber.of("NaN")]), '["NaN",NaN]');
});

Deno.test("parseJson() refuses what is not JSON, and what is nested beyond all use", () => {
  for (const text of ["", "{", "[NaN", "NaNs", "[1,]", "{'a': NaN}", "- NaN", "InfinityNaN"]) {
    assert.throws(() => parseJson(text), SyntaxError, text);
  }
  const deep = (depth: number) => "[".repeat(depth) + "]".repeat(depth);
  assert.throws(() => parseJson(deep(100_000)), /nested more than 500 deep/);
  parseJson(deep(500));
  parseJson(`"${"[".repeat(1000)}"`);
});

Deno.test("parseJson() and pythonJson() go round with whatever is written", () => {
  fc.assert(
    fc.property(jsonText(), (text) => {
      assert.equal(pythonJson(parseJson(text)), text);
    }),
    { numRuns: Number(Deno.env.get("GRID_TEST_VALUES") ?? 500) },
  );
});

Deno.test("parseJson() says what JSON.parse says wherever that loses nothing", () => {
  fc.assert(fc.property(fc.jsonValue(), (value) => {
    const text = JSON.stringify(value);
    assert.equal(JSON.stringify(parseJson(text)), text);
  }));
});
