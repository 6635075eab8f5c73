/** The guard of a node's shell, in every shell that a node may have as its `/bin/sh`. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { attachJob, startJob } from "../../../../src/transport/job/job_start.ts";
import { followAll, jobSpec, leaseRenewed, waitFor } from "../../../support/job_contract.ts";
import { type AccountNodeOptions, openAccountNode } from "../../../support/job_nodes.ts";
import { processesWith } from "../../../support/processes.ts";
import { type Part, testWith } from "../../../support/requires.ts";

const SHELLS: readonly (readonly [Part, ...string[]])[] = [
  ["dash"],
  ["bash", "--posix"],
  ["busybox", "ash"],
];

for (const shell of SHELLS) {
  const test = (title: string, run: (options: AccountNodeOptions, mark: string) => Promise<void>) =>
    testWith([shell[0]], `guard under ${shell.join(" ")}: ${title}`, async () => {
      const mark = crypto.randomUUID();
      // Inherited by the shell and all that it starts.
      await run({ shell, env: { GRID_TEST_MARK: mark } }, `GRID_TEST_MARK=${mark}`);
    });

  test("a job that nobody follows any more is ended after its lease", async (options, mark) => {
    await using node = await openAccountNode(options);
    const spec = jobSpec(node, { command: "setsid sleep 1000 & sleep 1000", leaseMs: 2400 });
    await startJob(node.transport, spec);
    await waitFor(() => processesWith(`GRID_JOB=${spec.id}`).length === 3);
    await node.transport[Symbol.asyncDispose]();
    await waitFor(() => processesWith(mark).length === 0);
    await using again = await openAccountNode({ ...options, folder: node.root });
    const job = await attachJob(again.transport, spec);
    assert.ok(job);
    assert.deepEqual((await followAll(job)).exit, {
      kind: "signal",
      signal: "SIGTERM",
      by: "lease",
    });
  });

  test(
    "a job that another runner took over lives on, and the guard leaves with it",
    async (options, mark) => {
      await using node = await openAccountNode(options);
      const command = "while [ ! -e go ]; do sleep 0.1; done; echo done";
      const spec = jobSpec(node, { command, leaseMs: 2400 });
      await startJob(node.transport, spec);
      await node.transport[Symbol.asyncDispose]();
      {
        await using again = await openAccountNode({ ...options, folder: node.root });
        const job = await attachJob(again.transport, spec);
        assert.ok(job);
        const following = followAll(job);
        await leaseRenewed(node, spec.id, { lastingMs: 3000 });
        Deno.writeTextFileSync(`${node.root}/go`, "");
        assert.deepEqual(await following, {
          exit: { kind: "code", code: 0 },
          stdout: "done\n",
          stderr: "",
        });
      }
      await waitFor(() => processesWith(mark).length === 0);
    },
  );

  test("a detached job goes on, and no guard stays", async (options, mark) => {
    await using node = await openAccountNode(options);
    const spec = jobSpec(node, {
      command: "while [ ! -e go ]; do sleep 0.1; done; echo done",
      leaseMs: 400,
      detach: true,
    });
    await startJob(node.transport, spec);
    const other = jobSpec(node, { command: "sleep 1000", leaseMs: 400 });
    await startJob(node.transport, other);
    await node.transport[Symbol.asyncDispose]();
    await waitFor(() => processesWith(`GRID_JOB=${other.id}`).length === 0);
    // Its shell has the job's name from birth, but is none of those that are seen between fork and exec.
    await waitFor(() => processesWith(`GRID_JOB=${spec.id}`).length > 0);
    Deno.writeTextFileSync(`${node.root}/go`, "");
    await waitFor(() => processesWith(mark).length === 0);
  });

  test("a shell that is killed while it listens leaves no helper behind", async (options, mark) => {
    await using node = await openAccountNode(options);
    // Listened to, and then silent: nothing that comes tells the listener that the shell is gone.
    const command = "for n in 1 2 3 4 5; do echo $n; sleep 0.2; done; touch silent; sleep 1000";
    const job = await startJob(node.transport, jobSpec(node, { command, leaseMs: 2400 }));
    const end = new AbortController();
    const following = followAll(job, end.signal).catch(() => {});
    const isHeard = () => processesWith(mark).some(({ command }) => command.startsWith("dd bs="));
    await waitFor(() => existsSync(`${node.root}/silent`));
    assert.ok(isHeard());
    const { stdout } = await node.transport.exec("echo $$");
    end.abort();
    await following;
    Deno.kill(Number(stdout), "SIGKILL");
    await waitFor(() => processesWith(mark).length === 0);
  });

  test("a shell that is killed has its jobs guarded all the same", async (options, mark) => {
    await using node = await openAccountNode(options);
    const spec = jobSpec(node, { command: "sleep 1000", leaseMs: 2400 });
    await startJob(node.transport, spec);
    const { stdout } = await node.transport.exec("echo $$");
    Deno.kill(Number(stdout), "SIGKILL");
    await waitFor(() => processesWith(mark).length === 0);
  });

  test("a shell whose jobs have ended has taken its helpers along", async (options, mark) => {
    for (let round = 0; round < 8; round++) {
      await using node = await openAccountNode(options);
      // Long enough to be listened to.
      const command = "for n in 1 2 3; do echo $n; sleep 0.1; done";
      const job = await startJob(node.transport, jobSpec(node, { command }));
      await followAll(job);
      await job.remove();
      await node.transport[Symbol.asyncDispose]();
      assert.deepEqual(processesWith(mark), []);
    }
  });
}
