/** The driver of a batch, started before it has been sent what it should do. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { GridError } from "../../../src/core/errors.ts";
import { runDriver } from "../../../src/ray/driver_job.ts";
import { driverFiles } from "../../../src/ray/driver_spec.ts";
import { attachJob } from "../../../src/transport/job/job_start.ts";
import { openHead, optionsOf, SPEC } from "../../support/driver_head.ts";
import { allProcesses } from "../../support/processes.ts";
import { testWith } from "../../support/requires.ts";

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

testWith(
  ["python3"],
  "a driver that is cancelled before it has read its tasks leaves none",
  async () => {
    await using place = await openHead();
    // It never comes to what would read them.
    const { options } = optionsOf(place.head, { prelude: "sleep 30; ", killGraceMs: 0 });
    const files = await driverFiles(place.head.root, options.spec);
    const cancelling = new AbortController();
    const host = { ...options.host, signal: cancelling.signal };
    const running = runDriver({ ...options, host });
    while (!existsSync(files.spec)) await new Promise((resolve) => setTimeout(resolve, 10));
    cancelling.abort(new Error("cancelled"));
    await assert.rejects(running, /cancelled/);
    const left = [...Deno.readDirSync(files.folder)].map(({ name }) => name).sort();
    assert.deepEqual(left, ["batch_driver.py", "results"]);
  },
);

testWith(["python3"], "a driver that dies before it has read its tasks leaves none", async () => {
  await using place = await openHead();
  const { options } = optionsOf(place.head, { prelude: "exit 9; " });
  const files = await driverFiles(place.head.root, options.spec);
  await assert.rejects(runDriver(options), /exit code 9/);
  assert.equal(existsSync(files.spec), false);
});
