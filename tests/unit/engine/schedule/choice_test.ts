import assert from "node:assert/strict";
import { chooseSteps, withSyncs } from "../../../../src/engine/schedule/choice.ts";
import { Text } from "../../../../src/expression/text.ts";
import { step } from "../../../support/pipelines.ts";

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
