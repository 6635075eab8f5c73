import assert from "node:assert/strict";
import type { StepKinds, StepRequest } from "../../../../src/engine/ports.ts";
import { fail, type FakeEngineOptions, runFake, succeed } from "../../../support/fake_engine.ts";
import { group, pipeline, step, type StepParts } from "../../../support/pipelines.ts";
import { parseText } from "../../../support/texts.ts";

/** What happens, in order: which step got ready, and which ran. */
async function story(
  steps: Parameters<typeof pipeline>[0],
  options: FakeEngineOptions = {},
): Promise<{ readonly told: readonly string[]; readonly requests: readonly StepRequest[] }> {
  const told: string[] = [];
  const requests: StepRequest[] = [];
  const run = (request: StepRequest) => {
    told.push(request.step);
    return Promise.resolve((options.steps?.[request.step] ?? succeed())(request, null as never));
  };
  const prepare = (request: StepRequest) => {
    told.push(`${request.step} gets ready`);
    requests.push(request);
  };
  const kinds = {
    "sync": { kind: "sync", run },
    "data": { kind: "data", run },
    "select-node": { kind: "select-node", run },
    "run": { kind: "run", run },
    "fetch": { kind: "fetch", run },
    "ray-batch": { kind: "ray-batch", run, prepare },
  } as unknown as StepKinds;
  await runFake(pipeline(steps), { ...options, ports: { kinds } });
  return { told, requests };
}

function sync(id: string, parts: StepParts = {}) {
  return step(id, {
    action: {
      kind: "sync",
      from: parseText("code"),
      to: "all",
      as: undefined,
      excludeFrom: undefined,
      exclude: [],
      writes: [],
    } as never,
    ...parts,
  });
}

function batch(id: string, parts: StepParts = {}) {
  return step(id, {
    action: {
      kind: "ray-batch",
      target: { call: parseText("work:f") },
      tasks: { range: 3 },
      batchSize: 1,
      gpusPerBatch: 0,
      cpusPerBatch: 1,
      maxFailures: 0,
    } as never,
    ...parts,
  });
}

Deno.test("a batch gets ready while the sync before it runs, with what is known by then", async () => {
  const { told, requests } = await story([
    sync("code"),
    batch("score", { needs: ["code"], env: { A: "1" } }),
  ]);
  assert.deepEqual(told, ["code", "score gets ready", "score"]);
  assert.deepEqual(requests[0]?.env, { A: "1" });
  assert.equal(requests[0]?.attempt, 1);
});

Deno.test("a batch gets ready once all that is left before it are syncs", async () => {
  const { told } = await story([
    step("prepare"),
    sync("code", { needs: ["prepare"] }),
    sync("more", { needs: ["code"] }),
    batch("score", { needs: ["prepare", "code", "more"] }),
    step("make", { needs: ["code"] }),
    batch("late", { needs: ["make", "code"] }),
  ]);
  assert.equal(told.filter((it) => it.endsWith("gets ready")).length, 1);
  assert.deepEqual(told.slice(0, 3), ["prepare", "code", "score gets ready"]);
});

Deno.test("one batch at most gets ready for a sync, and each once", async () => {
  const { told } = await story([
    sync("code"),
    sync("more"),
    batch("a", { needs: ["code", "more"] }),
    batch("b", { needs: ["code"] }),
    batch("c", { needs: ["code"] }),
  ]);
  const ready = told.filter((it) => it.endsWith("gets ready"));
  assert.deepEqual(ready, ["a gets ready"]);
});

Deno.test("nothing gets ready that may not run, or not as it seems", async () => {
  for (
    const parts of [
      { if: "steps.code.state == 'failed'" },
      { detach: true },
      { after: ["code"], needs: [] },
      { env: { A: "${{ steps.code.outputs.folder.sub }}" } },
    ] as StepParts[]
  ) {
    const { told } = await story([sync("code"), batch("score", { needs: ["code"], ...parts })]);
    assert.deepEqual(told.filter((it) => it.endsWith("gets ready")), [], JSON.stringify(parts));
  }
  const inside = [sync("code"), ...group("g", [batch("g/score")], { needs: ["code"] })];
  assert.ok(!(await story(inside)).told.includes("g/score gets ready"));
  const { told } = await story([sync("code"), batch("score", { needs: ["code"] })], {
    only: "code",
  });
  assert.deepEqual(told, ["code"]);
});

Deno.test("a batch that got ready does not run where the sync fails", async () => {
  const { told } = await story([sync("code"), batch("score", { needs: ["code"] })], {
    steps: { code: fail() },
  });
  assert.deepEqual(told, ["code", "score gets ready"]);
});
