/** What becomes of a job whose runner was killed. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { JobSpec } from "../../src/transport/job/job.ts";
import { listJobs } from "../../src/transport/job/job_list.ts";
import { attachJob } from "../../src/transport/job/job_start.ts";
import type { RunnerOrders } from "./abandoned_runner.ts";
import {
  type ContractNode,
  type ContractOptions,
  followAll,
  jobSpec,
  leaseRenewed,
  waitFor,
} from "./job_contract.ts";
import { processesWith } from "./processes.ts";

const RUNNER = fileURLToPath(new URL("./abandoned_runner.ts", import.meta.url));

export function describeLease(name: string, { open, test }: ContractOptions): void {
  test(`${name}: a job ends after the lease when its runner was killed`, async () => {
    await using node = await open();
    const spec = jobSpec(node, { command: "echo begun; setsid sleep 1000 & wait", leaseMs: 2000 });
    await startAndAbandon(node, spec);
    assert.equal(processesWith(`GRID_JOB=${spec.id}`).length, 2);
    await waitFor(() => processesWith(`GRID_JOB=${spec.id}`).length === 0);
    const job = await attachJob(node.transport, spec);
    assert.ok(job);
    const { exit, stdout } = await followAll(job);
    assert.deepEqual(exit, { kind: "signal", signal: "SIGTERM", by: "lease" });
    assert.equal(stdout, "begun\n");
    await job.remove();
  });

  test(`${name}: a runner that lives keeps its job beyond the lease`, async () => {
    await using node = await open();
    const command = "echo begun; while [ ! -e go ]; do sleep 0.1; done; echo done";
    const spec = jobSpec(node, { command, leaseMs: 1500 });
    const runner = spawnRunner(node, spec);
    const end = runner.output();
    await leaseRenewed(node, spec.id, { lastingMs: 2000 });
    Deno.writeTextFileSync(`${node.root}/go`, "");
    const output = await end;
    assert.equal(new TextDecoder().decode(output.stdout), "begun\ndone\n");
    assert.ok(output.success);
  });

  test(`${name}: a detached job goes on and is listed when its runner was killed`, async () => {
    await using node = await open();
    const spec = jobSpec(node, {
      command: "echo begun; while [ ! -e go ]; do sleep 0.1; done; echo done; exit 5",
      leaseMs: 1000,
      detach: true,
    });
    await startAndAbandon(node, spec);
    // By then its own would have run out as well.
    const other = jobSpec(node, { command: "echo begun; sleep 1000", leaseMs: 1000 });
    await startAndAbandon(node, other);
    await waitFor(() => processesWith(`GRID_JOB=${other.id}`).length === 0);
    const jobs = await listJobs(node.transport, node.root);
    const listed = jobs.find(({ id }) => id === spec.id);
    assert.ok(listed);
    assert.equal(listed.state, "running");
    assert.equal(listed.detached, true);
    assert.ok(listed.pids.length > 0);
    await node.transport.exec(`: >${node.root}/go`);
    const job = await attachJob(node.transport, spec);
    assert.ok(job);
    assert.deepEqual(await followAll(job), {
      exit: { kind: "code", code: 5 },
      stdout: "begun\ndone\n",
      stderr: "",
    });
    await job.remove();
    await (await attachJob(node.transport, other))?.remove();
  });
}

/** Starts the job in a runner of its own, waits for its first output, and kills the runner. */
async function startAndAbandon(node: ContractNode, spec: JobSpec): Promise<void> {
  const runner = spawnRunner(node, spec);
  const reader = runner.stdout.getReader();
  const { value } = await reader.read();
  assert.equal(new TextDecoder().decode(value), "begun\n");
  runner.kill("SIGKILL");
  await runner.status;
  await reader.cancel();
}

function spawnRunner({ transport: { endpoint } }: ContractNode, spec: JobSpec): Deno.ChildProcess {
  const orders: RunnerOrders = { endpoint, spec };
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", RUNNER, JSON.stringify(orders)],
    stdout: "piped",
  }).spawn();
}
