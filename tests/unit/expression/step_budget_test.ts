import assert from "node:assert/strict";
import { GridError } from "../../../src/core/errors.ts";
import { loadPatterns } from "../../../src/core/pattern.ts";
import {
  evaluateCondition,
  evaluateValue,
  type EvaluationScope,
} from "../../../src/expression/evaluate.ts";
import { parseText } from "../../support/texts.ts";

const SCOPE: EvaluationScope = {
  inputs: { list: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10], word: "ab" },
  steps: {
    a: { outputs: { yes: "true", no: "false", other: "on" }, state: "succeeded", node: "n1" },
  },
  matrix: undefined,
  env: {},
  run: { id: "r", pipeline: "p" },
  attempt: 1,
  status: { success: true, failure: false, cancelled: false },
  hashFiles: () => "",
};

const value = (source: string, budget?: number) =>
  evaluateValue(parseText(`\${{ ${source} }}`), {
    ...SCOPE,
    ...(budget !== undefined && { budget }),
  });

await loadPatterns();

const NESTED = {
  all: "inputs.list.all(a, inputs.list.all(b, inputs.list.all(c, a + b + c > 0)))",
  exists: "inputs.list.exists(a, inputs.list.exists(b, inputs.list.exists(c, a + b + c > 99)))",
  exists_one:
    "inputs.list.exists_one(a, inputs.list.exists_one(b, inputs.list.exists_one(c, a > b)))",
  map: "inputs.list.map(a, inputs.list.map(b, inputs.list.map(c, a + b + c)))",
  filter: "inputs.list.filter(a, inputs.list.filter(b, inputs.list.filter(c, c > b) == []) == [])",
  or: "inputs.list.all(a, inputs.list.all(b, inputs.list.all(c, a < 0 || b > 0)))",
};

for (const [name, source] of Object.entries(NESTED)) {
  Deno.test(`step budget: nested ${name} ends at it, with the expression named`, () => {
    assert.throws(() => value(source, 500), (error) => {
      assert.ok(error instanceof GridError);
      assert.equal(error.code, "step-failed");
      assert.match(
        error.message,
        /Cannot evaluate \$\{\{ inputs\.list.*: it takes more than 500 steps$/,
      );
      assert.match(error.hint ?? "", /multiplies/);
      assert.ok(error.place);
      return true;
    });
    // It has enough with the usual one, and one that ended leaves nothing behind.
    value(source);
  });
}

Deno.test("step budget: what an expression builds counts by its length", () => {
  const doubled = (times: number) =>
    Array.from({ length: times }, (_, at) => at).reduceRight(
      (rest, at) => `cel.bind(x${at + 1}, x${at} + x${at}, ${rest})`,
      `x${times}`,
    );
  assert.equal(value(`cel.bind(x0, inputs.word, size(${doubled(4)}))`, 500), 32);
  assert.throws(() => value(`cel.bind(x0, inputs.word, size(${doubled(20)}))`, 500), /500 steps/);
  assert.throws(() => value(`cel.bind(x0, inputs.list, size(${doubled(12)}))`, 500), /500 steps/);
});

Deno.test("step budget: a long list is gone through with the usual one", () => {
  const list = Array.from({ length: 10_000 }, (_, index) => ({ loss: index / 2 }));
  const scope = { ...SCOPE, inputs: { list } };
  const text = parseText(
    "${{ inputs.list.filter(c, c.loss < 100.0 && c.loss > 1.0).map(c, c.loss + 1.0) }}",
  );
  assert.equal((evaluateValue(text, scope) as unknown[]).length, 197);
});

Deno.test("expression: matches() runs in the linear engine, which refuses look-around", () => {
  assert.equal(value('inputs.word.matches("^a[b-c]$")'), true);
  assert.equal(value('inputs.list.filter(n, string(n).matches("^[12]$")) == [1, 2]'), true);
  assert.throws(
    () => value('inputs.word.matches("a(?" + "=b)")'),
    /matches\(\) cannot take "a\(\?=b\)": look-ahead cannot be matched in linear time/,
  );
  assert.throws(() => value('inputs.list.matches("a")'), (error) => {
    assert.doesNotMatch(String(error), /LinearTime/);
    return true;
  });
});

Deno.test("expression: the words true and false of an output are conditions everywhere", () => {
  assert.equal(value("!steps.a.outputs.yes"), false);
  assert.equal(value("!steps.a.outputs.no"), true);
  assert.equal(value("!!steps.a.outputs.yes"), true);
  assert.equal(value("steps.a.outputs.yes && !steps.a.outputs.no"), true);
  assert.equal(value("steps.a.outputs.no || steps.a.outputs.yes"), true);
  assert.equal(value('steps.a.outputs.no ? "a" : "b"'), "b");
  assert.equal(value("[steps.a.outputs].filter(o, o.yes) == [steps.a.outputs]"), true);
  assert.equal(value("[steps.a.outputs].exists(o, o.no)"), false);
  assert.equal(evaluateCondition(parseText("${{ !steps.a.outputs.no }}"), SCOPE), true);
  assert.equal(value("steps.a.outputs.yes"), "true");
  assert.throws(() => value("!steps.a.outputs.other"), /no such overload: !string/);
});
