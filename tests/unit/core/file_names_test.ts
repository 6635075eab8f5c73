import assert from "node:assert/strict";
import fc from "fast-check";
import { distinctName, readableName } from "../../../src/core/file_names.ts";

Deno.test("readableName() keeps a name inside its folder, and short enough for it", () => {
  assert.equal(readableName("sweep[lr=1e-4,seed=1]"), "sweep_lr=1e-4,seed=1_");
  assert.equal(readableName("eval/score"), "eval_score");
  assert.ok(!readableName("../../etc/passwd").includes("/"));
  assert.ok(readableName("模".repeat(300)).length <= 120);
});

Deno.test("distinctName() is readable, and different for names that only look alike", () => {
  assert.equal(distinctName(["train"]), "train");
  assert.equal(distinctName(["v1.2_b-3"]), "v1.2_b-3");
  assert.match(distinctName(["run", "step[model=org/a]"]), /^run\.step_model_org_a_-[0-9a-f]{16}$/);
  assert.match(distinctName(["a.b"], { dots: false }), /^a_b-[0-9a-f]{16}$/);
  const long = "x".repeat(300);
  const alike = [
    ["org/a"],
    ["org_a"],
    ["org a"],
    ["org", "a"],
    ["org.a"],
    [distinctName(["org/a"])],
    ["模型"],
    ["数据"],
    [`${long}1`],
    [`${long}2`],
    ["e\u0301"],
    ["\u00e9"],
    [""],
    [".."],
    ["-x"],
  ];
  for (const dots of [true, false]) {
    const names = alike.map((words) => distinctName(words, { dots }));
    assert.equal(new Set(names).size, alike.length, names.join("\n"));
    for (const name of names) {
      assert.match(name, dots ? /^[A-Za-z0-9_][A-Za-z0-9._-]*$/ : /^[A-Za-z0-9_][A-Za-z0-9_-]*$/);
      assert.ok(name.length <= 120);
    }
  }
});

Deno.test("distinctName() never gives two lists of words one name", () => {
  const word = fc.string({
    unit: fc.constantFrom("a", "b", ".", "-", "_", "/", " ", "é"),
    maxLength: 4,
  });
  const words = fc.array(word, { minLength: 1, maxLength: 3 });
  fc.assert(fc.property(words, words, (one, other) => {
    fc.pre(JSON.stringify(one) !== JSON.stringify(other));
    assert.notEqual(distinctName(one), distinctName(other));
  }));
});
