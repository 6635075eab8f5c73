import assert from "node:assert/strict";
import { type PreviewOptions, previewReuse } from "../../../../src/engine/resume/preview.ts";
import type { Pipeline } from "../../../../src/pipeline/pipeline.ts";
import { Text } from "../../../../src/expression/text.ts";
import { fail, type FakeEngineOptions, runFake, succeed } from "../../../support/fake_engine.ts";
import { group, pipeline, step } from "../../../support/pipelines.ts";

const FILES = { env: {}, hashFiles: () => "" };

function preview(pipeline: Pipeline, options: Partial<PreviewOptions> = {}) {
  const forecasts = previewReuse(pipeline, { ...FILES, ...options });
  return Object.fromEntries([...forecasts].map(([id, { will }]) => [id, will]));
}

const STEPS = [
  step("a"),
  step("b", { needs: ["a"], env: { X: "${{ steps.a.outputs.x }}" } }),
  ...group("m", [
    step("m[x=1]", { matrix: { x: "1" } }),
    step("m[x=2]", { matrix: { x: "2" } }),
  ], { needs: ["b"] }),
  step("end", { needs: ["m"] }),
];

Deno.test("previewReuse() of a fresh run forecasts that everything runs", () => {
  assert.deepEqual(preview(pipeline(STEPS)), {
    a: "run",
    b: "run",
    "m[x=1]": "run",
    "m[x=2]": "run",
    end: "run",
  });
});

Deno.test("previewReuse() of a resume forecasts what the resume then does", async () => {
  const variants: readonly FakeEngineOptions["steps"][] = [
    { a: succeed({ x: "1" }) },
    { a: succeed({ x: "1" }), "m[x=2]": fail() },
    { a: succeed({ x: "1" }), b: fail() },
    { a: fail() },
  ];
  for (const steps of variants) {
    const first = await runFake(pipeline(STEPS), { ...(steps && { steps }) });
    const forecast = preview(pipeline(STEPS), { resume: first.state });
    const second = await runFake(pipeline(STEPS), {
      run: "second",
      resume: first.state,
      steps: { a: succeed({ x: "1" }) },
    });
    const did = Object.fromEntries(
      [...second.state.steps.values()].filter(({ kind }) => kind !== "group")
        .map(({ id, status }) => [id, status === "reused" ? "reuse" : "run"]),
    );
    assert.deepEqual(forecast, did);
  }
});

Deno.test("previewReuse() with from forecasts that step and what comes after it anew", async () => {
  const first = await runFake(pipeline(STEPS), { steps: { a: succeed({ x: "1" }) } });
  const resume = first.state;
  assert.deepEqual(preview(pipeline(STEPS), { resume, from: "m" }), {
    a: "reuse",
    b: "reuse",
    "m[x=1]": "run",
    "m[x=2]": "run",
    end: "run",
  });
  assert.throws(() => preview(pipeline(STEPS), { resume, from: "ghost" }), { code: "usage" });
});

Deno.test("previewReuse() says why, and finds what is cached", () => {
  const steps = [step("a", { cache: { inputs: [], key: Text.literal("k") } }), step("b")];
  const found = previewReuse(pipeline(steps), {
    ...FILES,
    results: { find: () => ({ run: "r0", step: "a", at: 0, outputs: {} }) },
  });
  assert.deepEqual(found.get("a"), {
    will: "reuse",
    reason: "cached: run r0 did the same with the same inputs",
  });
  const missed = previewReuse(pipeline(steps), { ...FILES, results: { find: () => undefined } });
  assert.equal(missed.get("a")?.reason, "cache not used: no run has kept a result of it");
});

Deno.test("previewReuse() goes by what the syncs would bring", async () => {
  const action = { kind: "sync", from: Text.literal("."), to: "all", as: undefined } as const;
  const rest = { excludeFrom: undefined, exclude: [], delete: true, writes: [] };
  const steps = [
    step("code", { action: { ...action, ...rest } }),
    step("train", { needs: ["code"] }),
  ];
  const { state } = await runFake(pipeline(steps), {
    run: "r1",
    steps: {
      code: (_, host) => {
        const work = { sent: 1, deleted: 0, total: 1, bytes: 1, durationMs: 1 };
        host.note({ type: "sync.finished", node: "n", folder: "/w", ...work, digest: "v1" });
        return { status: "succeeded", outputs: {} };
      },
    },
  });
  const train = (digests?: ReadonlyMap<string, string>) => {
    const options = { ...FILES, resume: state, ...(digests && { digests }) };
    return previewReuse(pipeline(steps), options).get("train");
  };
  assert.equal(train(new Map([["code", "v1"]]))?.will, "reuse");
  const late = steps.map((each) => each.id === "code" ? { ...each, after: ["new"] } : each);
  const behindWork = previewReuse(pipeline([step("new"), ...late]), {
    ...FILES,
    resume: state,
    digests: new Map([["code", "v1"]]),
  });
  assert.match(behindWork.get("train")?.reason ?? "", /^it may have to/);
  assert.deepEqual(train(new Map([["code", "v2"]])), {
    will: "run",
    reason: '"code" brings other files than in run r1',
  });
  assert.deepEqual(train(), {
    will: "run",
    reason: 'it may have to: that depends on what "code" brings',
  });
});
