import assert from "node:assert/strict";
import { chooseSteps, withSyncs } from "../../../../src/engine/schedule/choice.ts";
import { Text } from "../../../../src/expression/text.ts";
import { group, step } from "../../../support/pipelines.ts";

function sync(id: string, needs: readonly string[] = []) {
  const action = {
    kind: "sync",
    from: Text.literal("."),
    to: "all",
    as: undefined,
    excludeFrom: undefined,
    exclude: [],
    delete: true,
    writes: [],
  } as const;
  return step(id, { action, needs });
}

Deno.test("withSyncs() adds the syncs before the steps, and no others", () => {
  const steps = [
    sync("code"),
    sync("data", ["code"]),
    sync("other"),
    step("train", { needs: ["data"] }),
    step("eval", { needs: ["train"] }),
  ];
  const chosen = chooseSteps(steps, { only: "eval" });
  assert.ok(chosen);
  assert.deepEqual([...withSyncs(steps, chosen)].toSorted(), ["code", "data", "eval"]);
});

Deno.test("chooseSteps(): one step, all that follow one, both, or all", () => {
  const steps = [
    step("a"),
    step("b", { needs: ["a"] }),
    step("c", { after: ["b"] }),
    step("d"),
  ];
  const chosen = (choice: Parameters<typeof chooseSteps>[1]) => {
    const ids = chooseSteps(steps, choice);
    return ids && [...ids].toSorted();
  };
  assert.equal(chosen({}), undefined);
  assert.deepEqual(chosen({ only: "b" }), ["b"]);
  assert.deepEqual(chosen({ from: "b" }), ["b", "c"]);
  assert.deepEqual(chosen({ from: "a" }), ["a", "b", "c"]);
  assert.deepEqual(chosen({ from: "b", only: "d" }), ["b", "c", "d"]);
});

Deno.test("chooseSteps() says which steps there are, or which one was meant", () => {
  const steps = [step("train"), step("b")];
  const hint = (only: string) => {
    try {
      chooseSteps(steps, { only });
    } catch (error) {
      return (error as { hint?: string }).hint;
    }
  };
  assert.equal(hint("trian"), 'did you mean "train"?');
  assert.equal(hint("something"), "the steps are: train, b");
  assert.throws(() => chooseSteps(steps, { from: "x" }), {
    code: "usage",
    message: "Cannot run --from x: the pipeline has no such step",
  });
});

Deno.test("chooseSteps(): a group brings its members, a member the group around it and what follows", () => {
  const steps = [...group("g", [step("a"), step("b")]), step("then", { needs: ["g"] })];
  const chosen = (choice: Parameters<typeof chooseSteps>[1]) =>
    [...chooseSteps(steps, choice) ?? []].toSorted();
  assert.deepEqual(chosen({ only: "g" }), ["a", "b", "g"]);
  assert.deepEqual(chosen({ only: "a" }), ["a", "g"]);
  assert.deepEqual(chosen({ from: "a" }), ["a", "g", "then"]);
  assert.deepEqual(chosen({ from: "g" }), ["a", "b", "g", "then"]);
  assert.deepEqual(chosen({ from: "then" }), ["then"]);
});
