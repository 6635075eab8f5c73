/** A driver that was started before its step. */
import assert from "node:assert/strict";
import type { OpenNode } from "../../../src/cluster/node.ts";
import type { BatchStart } from "../../../src/ray/batch.ts";
import { DriversAhead } from "../../../src/ray/driver_ahead.ts";
import { type DriverJobOptions, runDriver } from "../../../src/ray/driver_job.ts";
import { attachJob, isJobRunning } from "../../../src/transport/job/job_start.ts";
import { openHead, optionsOf } from "../../support/driver_head.ts";
import { allProcesses } from "../../support/processes.ts";
import { testWith } from "../../support/requires.ts";

function beginFor(ahead: DriversAhead, { head, env, spec, usesRay }: DriverJobOptions): void {
  ahead.begin({ head, env, usesRay, start: spec });
}

/** Those that wait for what they should do. */
function drivers({ root }: OpenNode) {
  return allProcesses().filter(({ command }) =>
    command.includes(root) && command.includes("GRID_BOOT")
  );
}

function isWaiting(head: OpenNode): boolean {
  return drivers(head).length > 0;
}

async function untilWaiting(head: OpenNode): Promise<void> {
  while (!isWaiting(head)) await pause();
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 20));
}

/** Runs the batch and tells the names of its jobs. */
async function run(
  ahead: DriversAhead,
  options: DriverJobOptions,
  fields: Partial<BatchStart> = {},
) {
  const jobs: string[] = [];
  const jobStarted = ({ job }: { readonly job: string }) => void jobs.push(job);
  const spec = { ...options.spec, ...fields };
  const outcome = await runDriver({
    ...options,
    spec,
    ahead,
    host: { ...options.host, jobStarted },
  });
  return { outcome, jobs };
}

testWith(["python3"], "a batch is run by the driver that waits for it", async () => {
  await using place = await openHead();
  const { options, outcomes } = optionsOf(place.head);
  await using ahead = new DriversAhead();
  beginFor(ahead, options);
  await untilWaiting(place.head);
  const { outcome, jobs } = await run(ahead, options);
  assert.deepEqual(jobs, [`${options.spec.id}-ahead`]);
  const { results } = outcomes.of(outcome);
  assert.deepEqual(results.map((result) => result.ok && Number(result.value)), [2, 4, 6]);
  assert.ok(!isWaiting(place.head));
});

testWith(
  ["python3"],
  "a batch of which something else became known has a driver of its own",
  async () => {
    await using place = await openHead();
    for (const fields of [{ env: { A: "1" } }, { secrets: { B: "2" } }, { resultsKey: "other" }]) {
      const { options, outcomes } = optionsOf(place.head);
      await using ahead = new DriversAhead();
      beginFor(ahead, options);
      const { outcome, jobs } = await run(ahead, options, fields);
      assert.deepEqual(jobs, [options.spec.id]);
      assert.equal(outcomes.of(outcome).results.length, 3);
    }
  },
);

/** Whether its files are on the node. */
async function isThere({ transport, root }: OpenNode, job: string): Promise<boolean> {
  return await attachJob(transport, { id: job, root, leaseMs: 10_000 }) !== undefined;
}

testWith(["python3"], "a driver that nobody came for is ended, and leaves no job", async () => {
  await using place = await openHead();
  const { options } = optionsOf(place.head);
  {
    await using ahead = new DriversAhead();
    beginFor(ahead, options);
    await untilWaiting(place.head);
  }
  assert.ok(!isWaiting(place.head));
  assert.equal(await isThere(place.head, `${options.spec.id}-ahead`), false);
});

testWith(
  ["python3"],
  "a driver that waits too long for its batch is ended; it gets another",
  async () => {
    await using place = await openHead();
    const { options, outcomes } = optionsOf(place.head, { leaseMs: 3000 });
    await using ahead = new DriversAhead();
    beginFor(ahead, options);
    await untilWaiting(place.head);
    while (await isThere(place.head, `${options.spec.id}-ahead`)) await pause();
    const { outcome, jobs } = await run(ahead, options, { leaseMs: 10_000 });
    assert.deepEqual(jobs, [options.spec.id]);
    assert.equal(outcomes.of(outcome).results.length, 3);
  },
);

testWith(["python3"], "a batch whose driver has died while it waited gets another", async () => {
  await using place = await openHead();
  const { options, outcomes } = optionsOf(place.head);
  await using ahead = new DriversAhead();
  beginFor(ahead, options);
  await untilWaiting(place.head);
  for (const { pid } of drivers(place.head)) Deno.kill(pid, "SIGKILL");
  const { transport, root } = place.head;
  const identity = { id: `${options.spec.id}-ahead`, root, leaseMs: 10_000 };
  while (await isJobRunning(transport, identity)) await pause();
  const { outcome, jobs } = await run(ahead, options);
  assert.deepEqual(jobs, [options.spec.id]);
  assert.equal(outcomes.of(outcome).results.length, 3);
});

testWith(["python3"], "what shall outlive its runner is not started ahead", async () => {
  await using place = await openHead();
  const { options } = optionsOf(place.head, { detach: true });
  await using ahead = new DriversAhead();
  beginFor(ahead, options);
  const { jobs } = await run(ahead, options);
  assert.deepEqual(jobs, [options.spec.id]);
});
