import assert from "node:assert/strict";
import { startJob } from "../../../../src/transport/job/job_start.ts";
import { followAll, jobSpec, waitFor } from "../../../support/job_contract.ts";
import { openLocalNode } from "../../../support/job_nodes.ts";
import { describeScripts, describeShells } from "../../../support/job_shells.ts";
import { allProcesses } from "../../../support/processes.ts";
import { describeUsage } from "../../../support/job_usage_contract.ts";

describeShells(["dash", "bash"]);
describeScripts();

describeUsage(
  "what a job used is what GNU time says, in each shell, with its launcher and without",
);

Deno.test("what jobs use is looked at by one process, at the cost of hardly any", async () => {
  await using node = await openLocalNode();
  const command = "sleep 90 & python3 -c 'import time; x = b\"x\" * (30 << 20); time.sleep(90)'";
  const jobs = await Promise.all(
    Array.from({ length: 10 }, () => startJob(node.transport, jobSpec(node, { command }))),
  );
  const ended = Promise.all(jobs.map((job) => followAll(job)));
  await waitFor(() => jobs.every(({ id }) => looksAt(node.root, id).length >= 3));
  const [meter, ...others] = meters(node.root);
  assert.ok(meter !== undefined && others.length === 0);
  const ticks = cpuTicks(meter);
  const ages = jobs.map(({ id }) => looksAt(node.root, id).at(-1) ?? 0);
  await Promise.all(jobs.map((job) => job.kill({ graceMs: 1000 })));
  await ended;
  // A hundredth of a processor, and what starting takes: the clock of processes counts in hundredths.
  assert.ok(ticks <= Math.max(...ages) / 100 + 8, `${ticks} ticks`);
  for (const { usage } of jobs) assert.ok((usage?.peakBytes ?? 0) > 30 * 2 ** 20);
  await waitFor(() => meters(node.root).length === 0);
});

/** How old the job was at each look, in hundredths of a second. */
function looksAt(root: string, job: string): number[] {
  try {
    const lines = Deno.readTextFileSync(`${root}/.grid/jobs/${job}.use`).split("\n");
    return lines.slice(0, -1).map((line) => Number.parseInt(line));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/** Processes that hold the nameless file by which a meter of this folder hears of jobs; not what one has forked. */
function meters(root: string): number[] {
  const holders = allProcesses().filter(({ pid }) => {
    try {
      return Deno.readLinkSync(`/proc/${pid}/fd/5`).startsWith(`${root}/.grid/jobs/.meter`);
    } catch {
      return false;
    }
  });
  return holders.filter(({ parent }) => holders.every(({ pid }) => pid !== parent))
    .map(({ pid }) => pid);
}

/** Of the process and of those that it has waited for; proc(5), fields 14 to 17. */
function cpuTicks(pid: number): number {
  const fields = Deno.readTextFileSync(`/proc/${pid}/stat`).replace(/.*\) /s, "").split(" ");
  return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0);
}
