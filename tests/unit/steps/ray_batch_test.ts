import assert from "node:assert/strict";
import type { Cluster } from "../../../src/cluster/cluster.ts";
import type { RayConfig } from "../../../src/cluster/config.ts";
import type { OpenNode } from "../../../src/cluster/node.ts";
import type { StepRequest } from "../../../src/engine/ports.ts";
import type { RayBatchAction } from "../../../src/pipeline/pipeline.ts";
import type { BatchRunner, BatchSpec, BatchStart } from "../../../src/ray/batch.ts";
import { batchNames, createRayBatchStep } from "../../../src/steps/ray_batch.ts";
import { ALIKE } from "../../support/alike.ts";
import type { TaskResult } from "../../support/batch_results.ts";
import { recordHost } from "../../support/step_rig.ts";

const config: RayConfig = {
  mode: "embedded",
  address: undefined,
  head: undefined,
  version: undefined,
  dashboardHost: "127.0.0.1",
  dashboardPort: 8265,
  gcsPort: 6379,
  headBindAll: true,
  namespace: "default",
  logLevel: "info",
};

const action: RayBatchAction<string> = {
  kind: "ray-batch",
  target: { call: "tasks:score" },
  tasks: { range: 3 },
  batchSize: 10,
  gpusPerBatch: 0,
  cpusPerBatch: 1,
  maxFailures: 0,
};

const request: StepRequest<RayBatchAction<string>> = {
  run: "r1",
  pipeline: "train",
  step: "score",
  attempt: 1,
  action,
  node: { kind: "named", name: "n2" },
  avoidNodes: [],
  env: { A: "1" },
  secrets: { TOKEN: "s" },
  outputs: [],
  workingDirectory: "../train",
  shell: "bash",
  detach: false,
  killGraceMs: 1000,
  folders: { n1: "/n1/digits", n2: "/n2/digits" },
  resumeJob: undefined,
};

/** A cluster of n1 and n2, and a runner that answers at once. */
function setUp(options: { results: readonly TaskResult[]; mode?: BatchRunner["mode"] }) {
  const nodes = ["n1", "n2"].map((name) => ({ node: { name }, root: `/${name}`, home: "/home" }));
  const cluster = {
    nodes: nodes.map(({ node }) => node),
    open: (name: string) => Promise.resolve(nodes.find(({ node }) => node.name === name)),
    claim: () => Promise.resolve(""),
  } as unknown as Cluster;
  const specs: BatchSpec[] = [];
  const heads: string[] = [];
  const prepared: { readonly head: string; readonly start: BatchStart }[] = [];
  const runner: BatchRunner = {
    mode: options.mode ?? "embedded",
    prepare: (head, start) => {
      prepared.push({ head: head.node.name, start });
      return Promise.resolve();
    },
    run: (head: OpenNode, spec, host) => {
      heads.push(head.node.name);
      specs.push(spec);
      host.jobStarted({ node: head.node.name, job: spec.id });
      host.progress({ done: 3, failed: 0, total: 3 });
      const { results } = options;
      const lines = results.map((result, index) => {
        if (result.ok) return `${JSON.stringify(result.value)}\n`;
        host.outcomes.errors(ENCODER.encode(`${JSON.stringify({ index, error: result.error })}\n`));
        return "null\n";
      });
      host.outcomes.results(ENCODER.encode(lines.join("")));
      const failed = results.filter((result) => !result.ok).length;
      const index = results.findIndex((result) => !result.ok);
      const first = results[index];
      const firstFailure = first === undefined || first.ok
        ? undefined
        : { index, error: first.error };
      return Promise.resolve({ total: results.length, failed, firstFailure });
    },
  };
  const host = recordHost();
  const { notes } = host;
  const step = createRayBatchStep({ cluster, config, project: "/", runner });
  return { step, host, notes, specs, heads, prepared };
}

const ENCODER = new TextEncoder();
const GOOD: readonly TaskResult[] = [1, 2, 3].map((value) => ({ ok: true, value }));

Deno.test("ray-batch gives results in the order of the tasks", async () => {
  const { step, host, notes, specs } = setUp({ results: GOOD });
  assert.deepEqual(await step.run(request, host), {
    status: "succeeded",
    outputs: { results: [1, 2, 3], errors: [], total: 3, failed: 0 },
  });
  assert.deepEqual(notes.map(({ type }) => type), [
    "node.chosen",
    "job.started",
    "batch.progressed",
  ]);
  assert.deepEqual(notes[2], {
    type: "batch.progressed",
    done: 3,
    failed: 0,
    total: 3,
    mode: "embedded",
  });
  assert.equal(specs[0]?.cwd, "/n2/train");
  assert.deepEqual(specs[0]?.tasks, ["0", "1", "2"]);
  assert.equal(specs[0]?.env.GRID_STEP, "score");
});

Deno.test("ray-batch runs its driver on the head where Grid's own Ray places the batches", async () => {
  const { step, host, heads, specs } = setUp({ results: GOOD, mode: "managed" });
  await step.run(request, host);
  assert.deepEqual(heads, ["n1"]);
  assert.equal(specs[0]?.cwd, "/n1/train");
});

Deno.test("ray-batch lets its driver be loaded ahead, with all that it will be started with", async () => {
  const { step, host, specs, prepared } = setUp({ results: GOOD, mode: "managed" });
  step.prepare?.({ ...request, folders: {} });
  await step.run(request, host);
  await step[Symbol.asyncDispose]();
  const [{ head, start } = assert.fail("nothing was prepared")] = prepared;
  assert.equal(head, "n1");
  const { id, resultsKey, env, secrets, prelude, detach } = specs[0] ?? assert.fail("no batch");
  assert.deepEqual(start, { id, resultsKey, env, secrets, prelude, detach });
});

Deno.test("ray-batch fails with the first failed task's words", async () => {
  const results: TaskResult[] = [
    { ok: true, value: 1 },
    { ok: false, error: "ValueError: boom\n  File …" },
    { ok: false, error: "other" },
  ];
  const { step, host } = setUp({ results });
  await assert.rejects(step.run(request, host), {
    code: "step-failed",
    message: "Cannot finish the batch: 2 of 3 tasks failed, first task 1: ValueError: boom",
    node: "n2",
  });
  const tolerant = { ...request, action: { ...action, maxFailures: 2 } };
  const outcome = await step.run(tolerant, host);
  assert.deepEqual(outcome.status === "succeeded" && outcome.outputs, {
    results: [1, null, null],
    errors: [{ index: 1, error: "ValueError: boom\n  File …" }, { index: 2, error: "other" }],
    total: 3,
    failed: 2,
  });
});

Deno.test("ray-batch keeps its results key over attempts, and its job's name a file name", async () => {
  const { step, host, specs } = setUp({ results: GOOD });
  await step.run({ ...request, step: "sweep[lr=1e-4]/score" }, host);
  await step.run({ ...request, step: "sweep[lr=1e-4]/score", attempt: 2 }, host);
  assert.equal(specs[0]?.resultsKey, specs[1]?.resultsKey);
  assert.notEqual(specs[0]?.id, specs[1]?.id);
  assert.match(specs[0]?.id ?? "", /^[A-Za-z0-9_-]+$/);
});

Deno.test("ray-batch gives steps that are spelled alike names of their own", () => {
  const steps = ALIKE.map((name) => `score[model=${name}]`);
  const names = steps.map((step) => batchNames({ ...request, step }));
  assert.equal(new Set(names.map(({ id }) => id)).size, steps.length);
  assert.deepEqual(
    batchNames({ ...request, run: "r2" }).resultsKey,
    batchNames(request).resultsKey,
  );
  assert.equal(new Set(names.map(({ resultsKey }) => resultsKey)).size, steps.length);
  for (const { id } of names) assert.ok(id.length < 130);
});

Deno.test("ray-batch attaches to the job of the attempt that it resumes", async () => {
  const { step, host, specs, heads } = setUp({ results: GOOD });
  await step.run({ ...request, resumeJob: { node: "n1", job: "old-score-1" } }, host);
  assert.deepEqual(heads, ["n1"]);
  assert.equal(specs[0]?.id, "old-score-1");
});
