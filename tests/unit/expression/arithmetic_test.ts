import assert from "node:assert/strict";
import fc from "fast-check";
import { parseJson } from "../../../src/core/exact_json.ts";
import type { JsonValue } from "../../../src/core/json.ts";
import {
  evaluateText,
  evaluateValue,
  type EvaluationScope,
} from "../../../src/expression/evaluate.ts";
import { evaluateScript } from "../../../src/script/evaluate_script.ts";
import { jsonText } from "../../support/json_texts.ts";
import { parseText } from "../../support/texts.ts";

const scopeOf = (outputs: string): EvaluationScope => ({
  inputs: { id: "1799999999999999999" },
  steps: {
    a: { outputs: parseJson(outputs) as Record<string, JsonValue>, state: "succeeded", node: "n" },
  },
  matrix: undefined,
  env: {},
  run: { id: "r", pipeline: "p" },
  attempt: 1,
  status: { success: true, failure: false, cancelled: false },
  hashFiles: () => "",
});
const SCOPE = scopeOf(
  '{"id":1799999999999999999,"huge":123456789012345678901234567890,"v":3.10,"one":1.0,"over":1e400,' +
    '"text":"1799999999999999999","list":[1.0,3.10,2],"nan":NaN,"inf":Infinity,"lr":1e-4}',
);
const text = (source: string) => evaluateText(parseText(`\${{ ${source} }}`), SCOPE);
const value = (source: string) => evaluateValue(parseText(`\${{ ${source} }}`), SCOPE);

Deno.test("expression: a number that passes through keeps its digits", () => {
  for (
    const [source, expected] of [
      ["steps.a.outputs.id", "1799999999999999999"],
      ["steps.a.outputs.huge", "123456789012345678901234567890"],
      ["steps.a.outputs.v", "3.10"],
      ["steps.a.outputs.one", "1.0"],
      ["steps.a.outputs.over", "1e400"],
      ["steps.a.outputs.nan", "NaN"],
      ["steps.a.outputs.list", "[1.0,3.10,2]"],
      ["toJSON(steps.a.outputs.list)", "[1.0,3.10,2]"],
      ["steps.a.outputs.list.map(n, {'n': n})", '[{"n":1.0},{"n":3.10},{"n":2}]'],
      ["steps.a.outputs.list.filter(n, n > 2.5)", "[3.10]"],
      ["true ? steps.a.outputs.v : 1", "3.10"],
      [`fromJSON('{"x":1799999999999999999}').x`, "1799999999999999999"],
      ["string(steps.a.outputs.v)", "3.10"],
      ["'v' + steps.a.outputs.v", "v3.10"],
      ["steps.a.outputs.v + '-x'", "3.10-x"],
    ] as const
  ) assert.equal(text(source), expected, source);
  assert.equal(
    evaluateScript(
      parseText("echo ${{ steps.a.outputs.list }} ${{ steps.a.outputs.id }}"),
      SCOPE,
    ),
    "echo 1.0 3.10 2 1799999999999999999",
  );
});

Deno.test("expression: calculating drops no digit in silence", () => {
  assert.equal(text("steps.a.outputs.id + 1"), "1800000000000000000");
  assert.equal(text("steps.a.outputs.text + 1"), "1800000000000000000");
  assert.equal(text("inputs.id - 1"), "1799999999999999998");
  assert.equal(text("steps.a.outputs.huge + 1"), "123456789012345678901234567891");
  assert.equal(value("steps.a.outputs.v * 2"), 6.2);
  assert.equal(value("steps.a.outputs.one + 1"), 2);
  assert.equal(value("-steps.a.outputs.one"), -1);
  assert.equal(value("steps.a.outputs.lr * 10000"), 1);
  for (const source of ["id * 0.5", "text / 2", "huge / 2", "over * 2", "text % 7"]) {
    assert.throws(
      () => value(`steps.a.outputs.${source}`),
      /(1799999999999999999|123456789012345678901234567890|1e400) has more digits than/,
      source,
    );
  }
});

Deno.test("expression: comparing goes to the last digit", () => {
  for (
    const source of [
      "steps.a.outputs.id == 1799999999999999999",
      "steps.a.outputs.id != 1800000000000000000",
      "steps.a.outputs.text != 1800000000000000000",
      "steps.a.outputs.text < 1800000000000000000",
      "steps.a.outputs.huge > 1800000000000000000",
      "steps.a.outputs.v == 3.1",
      'steps.a.outputs.v == "3.10"',
      "steps.a.outputs.one == 1",
      "steps.a.outputs.list == [1, 3.1, 2]",
      "steps.a.outputs.v in [3.1]",
      "3.1 in steps.a.outputs.list",
      "steps.a.outputs.over > 1e300",
      "steps.a.outputs.lr < 0.001",
      "steps.a.outputs.inf > 5",
      "!(steps.a.outputs.nan > 5) && !(steps.a.outputs.nan < 5)",
      "steps.a.outputs.nan != steps.a.outputs.nan",
    ]
  ) assert.equal(value(source), true, source);
});

Deno.test("expression: fromJSON and toJSON go round with whatever is written", () => {
  fc.assert(
    fc.property(jsonText({ finite: true }), (json) => {
      const scope = scopeOf(`{"x":${json}}`);
      assert.equal(evaluateValue(parseText("${{ toJSON(steps.a.outputs.x) }}"), scope), json);
      const text = scopeOf(JSON.stringify({ x: json }));
      assert.equal(
        evaluateValue(parseText("${{ toJSON(fromJSON(steps.a.outputs.x)) }}"), text),
        json,
      );
    }),
    { numRuns: Number(Deno.env.get("GRID_TEST_VALUES") ?? 300) },
  );
});
