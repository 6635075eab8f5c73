import assert from "node:assert/strict";
import { JobSweep } from "../../../src/steps/job_sweep.ts";
import { startJob } from "../../../src/transport/job/job_start.ts";
import { type ContractNode, followAll, jobSpec, waitFor } from "../../support/job_contract.ts";
import { openLocalNode } from "../../support/job_nodes.ts";

/** Jobs that have ended, in the order of their names, as if each had printed so much. */
async function endedJobs(node: ContractNode, count: number, printedBytes: number) {
  const numbers = Array.from({ length: count }, (_, index) => String(index).padStart(3, "0"));
  return await Promise.all(numbers.map(async (number) => {
    const files = { LIST: number };
    const spec = jobSpec(node, { id: `job-${number}`, command: "echo hi", files });
    await followAll(await startJob(node.transport, spec));
    return { transport: node.transport, root: node.root, id: spec.id, printedBytes };
  }));
}

/** Names of jobs that have a file with this ending. */
function jobsWith(node: ContractNode, ending: string): string[] {
  return [...Deno.readDirSync(`${node.root}/.grid/jobs`)].map(({ name }) => name)
    .filter((name) => name.endsWith(ending)).map((name) => name.slice(0, -ending.length)).sort();
}

Deno.test("JobSweep removes what printed much as soon as others have ended since", async () => {
  await using node = await openLocalNode();
  const jobs = await endedJobs(node, 20, 10 * 2 ** 20);
  const newest = jobs.slice(-16).map(({ id }) => id);
  {
    await using sweep = new JobSweep();
    for (const job of jobs) sweep.add(job);
    await waitFor(() => jobsWith(node, ".state").length === newest.length);
    for (const ending of [".state", ".out", ".value.LIST"]) {
      assert.deepEqual(jobsWith(node, ending), newest, ending);
    }
  }
  assert.deepEqual([...Deno.readDirSync(`${node.root}/.grid/jobs`)], []);
});

Deno.test("JobSweep keeps what printed little until there is much of it, or the run is over", async () => {
  await using node = await openLocalNode();
  const jobs = await endedJobs(node, 20, 3);
  const odd = "job-000.value.LIST.value.OTHER";
  {
    await using sweep = new JobSweep();
    for (const job of jobs) sweep.add(job);
    // Of a job that is not ours to remove, and has almost the name of one that is.
    Deno.writeTextFileSync(`${node.root}/.grid/jobs/${odd}`, "");
    await new Promise((resolve) => setTimeout(resolve, 50));
    assert.equal(jobsWith(node, ".state").length, jobs.length);
  }
  assert.deepEqual([...Deno.readDirSync(`${node.root}/.grid/jobs`)].map(({ name }) => name), [odd]);
});

Deno.test("JobSweep leaves only the newest for the end once that is near", async () => {
  await using node = await openLocalNode();
  const jobs = await endedJobs(node, 40, 3);
  await using sweep = new JobSweep();
  for (const job of jobs) sweep.add(job);
  sweep.settle();
  const newest = jobs.slice(-16).map(({ id }) => id);
  await waitFor(() => jobsWith(node, ".state").length === newest.length);
  assert.deepEqual(jobsWith(node, ".out"), newest);
});
