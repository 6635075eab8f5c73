import assert from "node:assert/strict";
import { fetchTargets, madeThere } from "../../../../src/engine/attempt/fetch_targets.ts";
import { Scopes } from "../../../../src/engine/ledger/scopes.ts";
import type { Step } from "../../../../src/pipeline/pipeline.ts";
import { Text } from "../../../../src/expression/text.ts";
import { group, pipeline, step, type StepParts } from "../../../support/pipelines.ts";
import { parseText } from "../../../support/texts.ts";

function fetching(id: string, [from, to]: readonly [string, string], parts: StepParts = {}): Step {
  const action = { kind: "fetch", from: [parseText(from)], to: parseText(to) } as const;
  return step(id, { ...parts, action });
}

function homeOf(steps: readonly Step[]): readonly string[] {
  const options = { run: "r", env: {}, hashFiles: () => "" };
  const scopes = new Scopes(pipeline(steps, { inputs: { out: "results" } }), options);
  const byId = new Map(steps.map((step) => [step.id, step]));
  const code = byId.get("code");
  assert.ok(code);
  return fetchTargets(code, { steps: byId, scopes });
}

const CODE = step("code", {
  action: {
    kind: "sync",
    from: Text.literal("."),
    to: "all",
    as: undefined,
    excludeFrom: undefined,
    exclude: [],
    delete: true,
    writes: [],
  },
});

Deno.test("comesHome() names what the steps behind a sync fetch, and nobody else", () => {
  const steps = [
    fetching("before", ["data", "in"]),
    { ...CODE, needs: ["before"] },
    fetching("beside", ["x", "y"]),
    step("train", { after: ["code"] }),
    fetching("model", ["ckpt/*.pt", "${{ inputs.out }}"], { needs: ["train"] }),
    fetching("each", ["log", "logs/${{ run.id }}"], { needs: ["train"] }),
    fetching("late", ["a", "${{ steps.train.outputs.place }}"], { needs: ["train"] }),
  ];
  assert.deepEqual(homeOf(steps), ["results/ckpt/*.pt", "logs/*/log"]);
});

Deno.test("comesHome() looks into groups, and sees only what is before each member", () => {
  const steps = [
    CODE,
    ...group("t", [fetching("t/model", ["m", "out"])], { of: "template", needs: ["code"] }),
  ];
  assert.deepEqual(homeOf(steps), ["out/m"]);
  const inside = [
    ...group("t", [{ ...CODE, group: "t" }, fetching("t/other", ["m", "out"])], { of: "template" }),
    fetching("end", ["n", "out"], { needs: ["t"] }),
  ];
  assert.deepEqual(homeOf(inside), ["out/n"]);
});

Deno.test("madeThere() names what the steps behind a sync say they make, below its folder", () => {
  const output = {
    name: "acc",
    from: "file",
    path: parseText("metrics.json"),
    json: undefined,
  } as const;
  const steps = [
    CODE,
    step("train", { needs: ["code"], outputs: [output], workingDirectory: parseText("sub") }),
    step("prepare", {
      needs: ["code"],
      cache: { inputs: [], key: undefined, files: [parseText("prepared/")] },
    }),
    step("beside", { outputs: [output] }),
  ];
  const scopes = new Scopes(pipeline(steps), { run: "r", env: {}, hashFiles: () => "" });
  const byId = new Map(steps.map((it) => [it.id, it]));
  assert.deepEqual(madeThere(CODE, { steps: byId, scopes }), ["sub/metrics.json", "prepared/"]);
});
