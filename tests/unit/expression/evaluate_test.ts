import assert from "node:assert/strict";
import { GridError } from "../../../src/core/errors.ts";
import type { JsonValue } from "../../../src/core/json.ts";
import {
  evaluateCondition,
  evaluateText,
  evaluateValue,
  type EvaluationScope,
} from "../../../src/expression/evaluate.ts";
import { evaluateScript } from "../../../src/script/evaluate_script.ts";
import { INHERITED_NAMES } from "../../support/json_texts.ts";
import { parseText } from "../../support/texts.ts";

const SCOPE: EvaluationScope = {
  inputs: { epochs: 3, lr: 0.5, name: "it's", files: ["a b", "c"], nothing: null },
  steps: {
    train: { outputs: { loss: "0.25", n: "41" }, state: "succeeded", node: "gpu1" },
    sweep: {
      outputs: {},
      state: "succeeded",
      node: undefined,
      matrix: [{ params: { seed: 1 }, outputs: { loss: 1.5 } }],
    },
  },
  matrix: { lr: "1e-4", seed: 2 },
  env: { HOME: "/home/ml" },
  run: { id: "r1", pipeline: "train" },
  attempt: 2,
  status: { success: true, failure: false, cancelled: false },
  hashFiles: (patterns) => patterns.join("+"),
};

function value(expression: string): JsonValue {
  return evaluateValue(parseText(`\${{ ${expression} }}`), SCOPE);
}

Deno.test("evaluateText() splices values; whole numbers print without a fraction", () => {
  assert.equal(
    evaluateText(parseText("e=${{ inputs.epochs }} l=${{ inputs.lr }}"), SCOPE),
    "e=3 l=0.5",
  );
  assert.equal(evaluateText(parseText("${{ inputs.epochs * 2.0 }}"), SCOPE), "6");
  assert.equal(evaluateText(parseText("[${{ inputs.nothing }}]"), SCOPE), "[]");
  assert.equal(evaluateText(parseText("plain $HOME"), SCOPE), "plain $HOME");
});

Deno.test("evaluateText() keeps the spelling of a matrix value", () => {
  assert.equal(evaluateText(parseText("lr=${{ matrix.lr }}"), SCOPE), "lr=1e-4");
});

Deno.test("evaluateScript() quotes what it splices; a list becomes words", () => {
  assert.equal(
    evaluateScript(parseText("echo ${{ inputs.name }} ${{ inputs.files }}"), SCOPE),
    `echo 'it'"'"'s' 'a b' c`,
  );
  assert.equal(evaluateScript(parseText("x ${{ '; rm -rf /' }}"), SCOPE), "x '; rm -rf /'");
});

Deno.test("evaluateScript() says where it takes a whole number only", () => {
  assert.equal(
    evaluateScript(parseText("x=$((${{ inputs.epochs }} + 1))"), SCOPE),
    "x=$((3 + 1))",
  );
  assert.throws(() => evaluateScript(parseText("$((${{ inputs.name }}))"), SCOPE), (error) => {
    assert.ok(error instanceof GridError);
    assert.equal(error.code, "step-failed");
    assert.deepEqual(error.place, { file: "pipeline.yaml", line: 1, column: 1 });
    return true;
  });
});

Deno.test("evaluateValue() keeps the type of a single expression", () => {
  assert.equal(value("inputs.epochs + 1"), 4);
  assert.deepEqual(value("inputs.files"), ["a b", "c"]);
  assert.equal(evaluateValue(parseText("${{ 1 }}2"), SCOPE), "12");
  assert.equal(value("run.id + '/' + steps.train.node"), "r1/gpu1");
  assert.equal(value("attempt"), 2);
});

Deno.test("evaluateValue() mixes whole numbers, fractions and numbers written as text", () => {
  assert.equal(value("inputs.epochs * 0.5"), 1.5);
  assert.equal(value("0.5 + inputs.epochs"), 3.5);
  assert.equal(value("steps.train.outputs.n + 1"), 42);
  assert.equal(value("steps.train.outputs.loss < 0.5"), true);
  assert.equal(value("matrix.lr * 2"), 0.0002);
  assert.equal(value("matrix.lr == 0.0001"), true);
  assert.equal(value("'model-' + matrix.seed"), "model-2");
  assert.equal(value("1 == 1.0"), true);
  assert.equal(value("7 / 2"), 3);
});

Deno.test("evaluateValue() answers every function", () => {
  assert.equal(value("success() && always() && !failure() && !cancelled()"), true);
  assert.equal(
    value("toJSON(steps.sweep.matrix)"),
    '[{"params":{"seed":1},"outputs":{"loss":1.5}}]',
  );
  assert.equal(value("fromJSON('{\"a\": [1, 2]}').a[1] + 1"), 3);
  assert.equal(value("hashFiles('src/**', 'a')"), "src/**+a");
  assert.equal(value("env('HOME')"), "/home/ml");
  assert.equal(value("env.HOME"), "/home/ml");
  assert.equal(value("env('NOPE', 'none')"), "none");
  assert.deepEqual(value("inputs.files.map(f, f + '!')"), ["a b!", "c!"]);
  assert.deepEqual(value("steps.sweep.matrix.filter(c, c.params.seed == 1).size()"), 1);
});

Deno.test("evaluateCondition() takes booleans and the words true and false, nothing else", () => {
  assert.equal(evaluateCondition(parseText("${{ success() }}"), SCOPE), true);
  assert.equal(evaluateCondition(parseText("${{ 'false' }}"), SCOPE), false);
  assert.throws(
    () => evaluateCondition(parseText("${{ inputs.epochs }}"), SCOPE),
    (error) => error instanceof GridError && /it is 3, not true or false/.test(error.message),
  );
});

Deno.test("evaluateText() says which step lacks which output, and where", () => {
  assert.throws(() => value("steps.train.outputs.acc"), (error) => {
    assert.ok(error instanceof GridError);
    assert.match(error.message, /step "train" \(succeeded\) has no output "acc"/);
    assert.match(error.hint ?? "", /it wrote: loss, n/);
    assert.deepEqual(error.place, { file: "pipeline.yaml", line: 1, column: 1 });
    return true;
  });
});

Deno.test("evaluateText() names a variable that is not set, and the way to a default", () => {
  assert.throws(() => value("env.NOPE"), (error) => {
    assert.ok(error instanceof GridError);
    assert.match(error.message, /env\.NOPE }}: environment variable NOPE is not set/);
    assert.equal(error.hint, 'env("NOPE", "") gives a default');
    return true;
  });
  assert.equal(value("has(env.NOPE)"), false);
});

Deno.test("evaluateText() names the cause of every other failure", () => {
  assert.throws(() => value("env('NOPE')"), /environment variable NOPE is not set/);
  assert.throws(() => value("fromJSON('{')"), /cannot read "\{" as JSON/);
  assert.throws(() => value("1 / 0"), /division by zero/);
  assert.throws(() => value("inputs.name * 2"), /"it's" is not a number/);
});

Deno.test("evaluateValue() reads a map with names that every object seems to hold", () => {
  for (const name of INHERITED_NAMES) {
    const map = { ...JSON.parse(`{"${name}":"Ada"}`), loss: 1 };
    const text = `{"${name}":"Ada","loss":1}`;
    const scope: EvaluationScope = {
      ...SCOPE,
      inputs: map,
      matrix: map,
      env: map,
      steps: JSON.parse(`{"${name}":{"outputs":{"m":${text}},"state":"succeeded"}}`),
    };
    const at = (expression: string) => evaluateValue(parseText(`\${{ ${expression} }}`), scope);
    for (const root of ["inputs", "matrix", "env", `steps.${name}.outputs.m`]) {
      assert.equal(at(`${root}.loss`), 1, `${root} with ${name}`);
      assert.equal(at(`${root}["${name}"]`), "Ada");
      assert.equal(at(`"${name}" in ${root}`), true);
      assert.equal(at(`${root} == {"${name}": "Ada", "loss": 1}`), true);
      assert.equal(at(`size(${root}.map(key, key))`), 2);
      assert.equal(JSON.stringify(at(root)), text);
    }
    assert.equal(at(`steps["${name}"].state`), "succeeded");
    assert.equal(at(`env("${name}", "none")`), "Ada");
    assert.equal(at(`toJSON(fromJSON(toJSON(inputs)))`), text);
  }
});

Deno.test("evaluateValue() finds no name in a map that does not hold it", () => {
  for (const name of INHERITED_NAMES) {
    assert.equal(value(`env("${name}", "none")`), "none");
    assert.equal(value(`"${name}" in inputs`), false);
    assert.throws(() => value(`env("${name}")`), /is not set/);
    assert.throws(() => value(`inputs["${name}"]`), /no such key/i);
    assert.throws(() => value(`steps["${name}"].state`), /no such key/i);
    assert.throws(
      () => value(`steps.train.outputs["${name}"]`),
      /has no output/,
    );
  }
});

Deno.test("evaluateValue() finds a key of digits by its number", () => {
  assert.equal(value('fromJSON("{\\"3\\": 5}")[3]'), 5);
  assert.equal(value("{1: 'a'}[1]"), "a");
});

Deno.test("evaluateText() has room for the deepest expression that is taken", () => {
  const sum = (terms: number) => Array(terms).fill("1").join("+");
  assert.equal(evaluateText(parseText(`\${{ ${sum(500)} }}`), SCOPE), "500");
  assert.throws(() => value(sum(501)), /it goes more than 500 levels deep/);
});
