/** The launcher of a node's shell, below every shell that a node may have as its `/bin/sh`. */
import assert from "node:assert/strict";
import { attachJob, startJob } from "../../../../src/transport/job/job_start.ts";
import type { JobSpec } from "../../../../src/transport/job/job.ts";
import {
  awaitLauncher,
  type ContractNode,
  followAll,
  jobSpec,
  waitFor,
} from "../../../support/job_contract.ts";
import { type AccountNodeOptions, openAccountNode } from "../../../support/job_nodes.ts";
import { processesWith } from "../../../support/processes.ts";
import { type Part, testWith } from "../../../support/requires.ts";
import { tempDir } from "../../../support/temp_dir.ts";

const SHELLS: readonly (readonly [Part, ...string[]])[] = [
  ["dash"],
  ["bash", "--posix"],
  ["busybox", "ash"],
];

/** What the command printed; its end must be a good one. */
async function printed(
  node: ContractNode,
  spec: Partial<JobSpec> & { command: string },
): Promise<string> {
  const job = await startJob(node.transport, jobSpec(node, spec));
  const { exit, stdout, stderr } = await followAll(job);
  await job.remove();
  assert.deepEqual({ exit, stderr }, { exit: { kind: "code", code: 0 }, stderr: "" });
  return stdout;
}

/** The process that supervises a running job. */
async function supervisorOf(node: ContractNode, id: string): Promise<number> {
  let found = 0;
  await waitFor(() => {
    const state = Deno.readTextFileSync(`${node.root}/.grid/jobs/${id}.state`);
    found = Number(/^supervisor (\d+)/m.exec(state)?.[1] ?? 0);
    return found > 0;
  });
  return found;
}

for (const shell of SHELLS) {
  const test = (title: string, run: (options: AccountNodeOptions, mark: string) => Promise<void>) =>
    testWith([shell[0], "perl"], `launcher below ${shell.join(" ")}: ${title}`, async () => {
      const mark = crypto.randomUUID();
      await run({ shell, env: { GRID_TEST_MARK: mark } }, `GRID_TEST_MARK=${mark}`);
    });

  test("it leaves together with the shell whose jobs have ended", async (options, mark) => {
    for (let round = 0; round < 4; round++) {
      await using node = await openAccountNode(options);
      await awaitLauncher(node);
      await Promise.all(Array.from({ length: 20 }, () => printed(node, { command: "sleep 0.1" })));
      await node.transport[Symbol.asyncDispose]();
      assert.deepEqual(processesWith(mark), []);
      assert.deepEqual([...Deno.readDirSync(`${node.root}/.grid/jobs`)], []);
    }
  });

  test("it sees a detached job to its end, and leaves then", async (options, mark) => {
    await using node = await openAccountNode(options);
    await awaitLauncher(node);
    const spec = jobSpec(node, {
      command: "while [ ! -e go ]; do sleep 0.05; done; echo done; exit 3",
      detach: true,
    });
    await startJob(node.transport, spec);
    await supervisorOf(node, spec.id);
    await node.transport[Symbol.asyncDispose]();
    Deno.writeTextFileSync(`${node.root}/go`, "");
    await waitFor(() => processesWith(mark).length === 0);
    await using again = await openAccountNode({ ...options, folder: node.root });
    const job = await attachJob(again.transport, spec);
    assert.ok(job);
    assert.deepEqual(await followAll(job), {
      exit: { kind: "code", code: 3 },
      stdout: "done\n",
      stderr: "",
    });
  });

  test("the jobs of a shell that is killed end by their lease", async (options, mark) => {
    await using node = await openAccountNode(options);
    const leaseMs = 2400;
    await awaitLauncher(node, { leaseMs });
    const spec = jobSpec(node, { command: "setsid sleep 1000 & sleep 1000", leaseMs });
    await startJob(node.transport, spec);
    await supervisorOf(node, spec.id);
    const { stdout } = await node.transport.exec("echo $$");
    Deno.kill(Number(stdout), "SIGKILL");
    await waitFor(() => processesWith(mark).length === 0);
    await using again = await openAccountNode({ ...options, folder: node.root });
    const job = await attachJob(again.transport, spec);
    assert.ok(job);
    const end = { kind: "signal", signal: "SIGTERM", by: "lease" };
    assert.deepEqual((await followAll(job)).exit, end);
  });

  test("where it was killed, later jobs do without it", async (options) => {
    await using node = await openAccountNode(options);
    await awaitLauncher(node);
    const lost = jobSpec(node, { command: "sleep 1000" });
    const job = await startJob(node.transport, lost);
    Deno.kill(await supervisorOf(node, lost.id), "SIGKILL");
    assert.equal((await followAll(job)).exit.kind, "vanished");
    assert.deepEqual(await job.kill({ graceMs: 1000 }), { survivors: [] });
    for (let count = 0; count < 6; count++) {
      assert.equal(await printed(node, { command: "echo on" }), "on\n");
    }
  });

  test("a job is not lost that is ended before it has begun", async (options) => {
    await using node = await openAccountNode(options);
    await awaitLauncher(node);
    for (let count = 0; count < 10; count++) {
      const spec = jobSpec(node, { command: "sleep 1000" });
      const job = await startJob(node.transport, spec);
      assert.deepEqual(await job.kill({ graceMs: 1000 }), { survivors: [] });
      assert.deepEqual(processesWith(`GRID_JOB=${spec.id}`), []);
    }
  });

  test("what is too long for it is started without it", async (options) => {
    await using node = await openAccountNode(options);
    await awaitLauncher(node);
    const env = { LONG: "ä".repeat(40_000) };
    assert.equal(await printed(node, { command: 'echo "${#LONG}"', env }), "40000\n");
    assert.equal(await printed(node, { command: `echo ${"x".repeat(20_000)} | wc -c` }), "20001\n");
  });

  test("the command sees the account's environment, not perl's", async (options) => {
    using folder = tempDir();
    const env = { PERL5OPT: "-Mnothing_of_the_kind", PERL5LIB: folder.path, PERL_UNICODE: "SA" };
    await using node = await openAccountNode({ ...options, env });
    await awaitLauncher(node);
    const command = 'echo "$PERL5OPT $PERL5LIB $PERL_UNICODE"';
    assert.equal(await printed(node, { command }), `${Object.values(env).join(" ")}\n`);
  });

  test("where perl does not work, jobs do without it", async (options) => {
    using programs = tempDir();
    Deno.writeTextFileSync(`${programs.path}/perl`, "#!/bin/sh\nexit 2\n", { mode: 0o755 });
    const env = { ...options.env, PATH: `${programs.path}:${Deno.env.get("PATH")}` };
    await using node = await openAccountNode({ ...options, env });
    for (let count = 0; count < 8; count++) {
      assert.equal(await printed(node, { command: "echo on" }), "on\n");
    }
    await node.transport[Symbol.asyncDispose]();
    assert.deepEqual([...Deno.readDirSync(`${node.root}/.grid/jobs`)], []);
  });
}
