/** The driver of a batch, started before it has been sent what it should do. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { GridError } from "../../../src/core/errors.ts";
import type { OpenNode } from "../../../src/cluster/node.ts";
import type { BatchSpec } from "../../../src/ray/batch.ts";
import { type DriverJobOptions, runDriver } from "../../../src/ray/driver_job.ts";
import { FinishedTasks } from "../../../src/ray/finished_tasks.ts";
import { attachJob } from "../../../src/transport/job/job_start.ts";
import { CollectedOutcomes } from "../../support/batch_results.ts";
import { openLocalNode } from "../../support/job_nodes.ts";
import { allProcesses } from "../../support/processes.ts";
import { testWith } from "../../support/requires.ts";

const SPEC: Omit<BatchSpec, "cwd"> = {
  id: "run.batch-1",
  resultsKey: "run.batch",
  target: { call: "work:double" },
  tasks: ["1", "2", "3"],
  batchSize: 1,
  gpusPerBatch: 0,
  cpusPerBatch: 1,
  maxFailures: 0,
  code: "code",
  identityEnv: {},
  env: {},
  secrets: {},
  killGraceMs: 2000,
};

async function openHead() {
  const node = await openLocalNode();
  Deno.mkdirSync(join(node.root, "code"));
  Deno.writeTextFileSync(
    join(node.root, "code/work.py"),
    "def double(task):\n    return 2 * task\n",
  );
  const head = {
    node: {
      name: "here",
      endpoint: node.transport.endpoint,
      labels: [],
      gpus: undefined,
      remoteRoot: node.root,
    },
    transport: node.transport,
    root: node.root,
    home: node.root,
  } satisfies OpenNode;
  return { head, [Symbol.asyncDispose]: () => node[Symbol.asyncDispose]() };
}

function optionsOf(head: OpenNode, fields: Partial<BatchSpec> = {}) {
  const outcomes = new CollectedOutcomes();
  const options: DriverJobOptions = {
    head,
    place: () => ({ mode: "embedded" }),
    usesRay: false,
    spec: { ...SPEC, cwd: join(head.root, "code"), ...fields },
    host: {
      signal: new AbortController().signal,
      output: () => {},
      progress: () => {},
      outcomes,
      jobStarted: () => {},
    },
    env: { GRID_ROOT: head.root, GRID_NODE: head.node.name },
    finished: new FinishedTasks(),
  };
  return { options, outcomes };
}

testWith(["python3"], "a driver that is sent nothing is ended, and leaves no job", async () => {
  await using place = await openHead();
  const { options } = optionsOf(place.head);
  const gone = new GridError({ code: "ray", message: "no Ray of ours is running there" });
  await assert.rejects(runDriver({ ...options, place: () => Promise.reject(gone) }), gone);
  const identity = { id: SPEC.id, root: place.head.root, leaseMs: 10_000 };
  assert.equal(await attachJob(place.head.transport, identity), undefined);
  const left = allProcesses().filter(({ command }) => command.includes(place.head.root));
  assert.deepEqual(left.filter(({ command }) => command.includes("batch_driver.py")), []);
});

testWith(["python3"], "a batch without tasks is over at once", async () => {
  await using place = await openHead();
  const { options } = optionsOf(place.head, { tasks: [] });
  const outcome = await runDriver(options);
  assert.deepEqual(outcome, { total: 0, failed: 0, firstFailure: undefined });
});

testWith(
  ["python3"],
  "a runner that takes a batch up sends what the driver still waits for",
  async () => {
    await using place = await openHead();
    const waiting = Promise.withResolvers<never>();
    const first = runDriver({ ...optionsOf(place.head).options, place: () => waiting.promise });
    const isThere = () =>
      allProcesses().some(({ command }) =>
        command.includes(place.head.root) && command.includes("GRID_BOOT")
      );
    while (!isThere()) await new Promise((resolve) => setTimeout(resolve, 20));
    const { options, outcomes } = optionsOf(place.head, { mayRun: true });
    const outcome = await runDriver(options);
    const { results } = outcomes.of(outcome);
    assert.deepEqual(results.map((result) => result.ok && Number(result.value)), [2, 4, 6]);
    waiting.reject(new Error("gone"));
    await assert.rejects(first, { message: "gone" });
  },
);
