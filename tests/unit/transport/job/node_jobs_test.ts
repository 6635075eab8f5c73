/** What a conversation about many jobs promises beyond what one job needs. */
import assert from "node:assert/strict";
import { listJobs, pruneJobs } from "../../../../src/transport/job/job_list.ts";
import { attachJob, startJob } from "../../../../src/transport/job/job_start.ts";
import { nodeJobs } from "../../../../src/transport/job/node_jobs.ts";
import { followAll, jobSpec, leaseRenewed, waitFor } from "../../../support/job_contract.ts";
import { openLocalNode } from "../../../support/job_nodes.ts";
import { allProcesses, descendantsOf, processesWith } from "../../../support/processes.ts";

Deno.test("a thousand starts at once become a few at a time", async () => {
  await using node = await openLocalNode();
  const marks = `${node.root}/marks`;
  const command = `echo + >>${marks}; sleep 0.01; echo - >>${marks}`;
  await Promise.all(
    Array.from({ length: 40 }, async () => {
      const job = await startJob(node.transport, jobSpec(node, { command }));
      assert.deepEqual((await followAll(job)).exit, { kind: "code", code: 0 });
    }),
  );
  let [running, most] = [0, 0];
  for (const mark of Deno.readTextFileSync(marks).trim().split("\n")) {
    running += mark === "+" ? 1 : -1;
    most = Math.max(most, running);
  }
  assert.equal(running, 0);
  assert.ok(most <= 8, `${most} at once`);
});

Deno.test("jobs that run long do not keep others from starting", async () => {
  await using node = await openLocalNode();
  const start = (command: string) => startJob(node.transport, jobSpec(node, { command }));
  const long = await Promise.all(Array.from({ length: 12 }, () => start("sleep 1000")));
  assert.equal((await followAll(await start("echo quick"))).stdout, "quick\n");
  await Promise.all(long.map((job) => job.kill({ graceMs: 1000 })));
});

Deno.test("a job whose reader takes its time keeps its lease and loses nothing", async () => {
  await using node = await openLocalNode();
  const command = "echo one; while [ ! -e go ]; do sleep 0.05; done; echo two";
  const job = await startJob(node.transport, jobSpec(node, { command, leaseMs: 1200 }));
  let seen = "";
  const exit = await job.follow({
    signal: new AbortController().signal,
    onOutput: async (_stream, bytes) => {
      seen += new TextDecoder().decode(bytes);
      if (seen !== "one\n") return;
      await leaseRenewed(node, job.id, { lastingMs: 1500 });
      Deno.writeTextFileSync(`${node.root}/go`, "");
    },
  });
  assert.deepEqual(exit, { kind: "code", code: 0 });
  assert.equal(seen, "one\ntwo\n");
});

Deno.test("output is told while the job runs, not only at its end", async () => {
  await using node = await openLocalNode();
  const command = "sleep 0.2; echo early; while [ ! -e go ]; do sleep 0.02; done; echo late";
  const job = await startJob(node.transport, jobSpec(node, { command }));
  let seen = "";
  await job.follow({
    signal: new AbortController().signal,
    onOutput: (_stream, bytes) => {
      seen += new TextDecoder().decode(bytes);
      if (seen === "early\n") Deno.writeTextFileSync(`${node.root}/go`, "");
    },
  });
  assert.equal(seen, "early\nlate\n");
});

Deno.test("a question that is given up is answered with the reason, and others go on", async () => {
  await using node = await openLocalNode();
  const spec = jobSpec(node, { command: "while [ ! -e go ]; do sleep 0.05; done; echo end" });
  const job = await startJob(node.transport, spec);
  const stop = new AbortController();
  const given = nodeJobs(node.transport, node.root).ask({
    id: spec.id,
    leaseMs: spec.leaseMs,
    start: undefined,
    offset: { stdout: 0, stderr: 0 },
    signal: stop.signal,
  });
  setTimeout(() => stop.abort(new Error("enough")), 100);
  await assert.rejects(given, /enough/);
  Deno.writeTextFileSync(`${node.root}/go`, "");
  assert.equal((await followAll(job)).stdout, "end\n");
});

Deno.test("a shell that is killed leaves no helper, and the job is followed on", async () => {
  await using node = await openLocalNode();
  const command = "echo 1; while [ ! -e go ]; do sleep 0.05; done; echo 2";
  const job = await startJob(node.transport, jobSpec(node, { command }));
  const helpers = () =>
    allProcesses().filter(({ command }) => command.startsWith("tail") && command.includes(job.id));
  const following = followAll(job);
  await waitFor(() => helpers().length === 1);
  const [tail] = helpers();
  assert.ok(tail);
  Deno.kill(tail.parent, "SIGKILL");
  Deno.writeTextFileSync(`${node.root}/go`, "");
  const { stdout, exit } = await following;
  assert.equal(stdout, "1\n2\n");
  assert.deepEqual(exit, { kind: "code", code: 0 });
  await waitFor(() => allProcesses().every(({ pid }) => pid !== tail.pid));
});

Deno.test("a transport that is closed leaves neither shell nor helper", async () => {
  const before = new Set(descendantsOf(Deno.pid).map(({ pid }) => pid));
  {
    await using node = await openLocalNode();
    await followAll(
      await startJob(node.transport, jobSpec(node, { command: "sleep 0.2; echo x" })),
    );
  }
  await waitFor(() => descendantsOf(Deno.pid).every(({ pid }) => before.has(pid)));
});

Deno.test("what another host runs in the same folder is neither listed nor pruned, until all is old", async () => {
  await using node = await openLocalNode();
  const spec = jobSpec(node, { command: "true" });
  await followAll(await startJob(node.transport, spec));
  const file = `${node.root}/.grid/jobs/elsewhere-1.state`;
  const state = Deno.readTextFileSync(`${node.root}/.grid/jobs/${spec.id}.state`);
  const [, about = ""] = state.split("\n");
  const foreign = about.split(" ").with(-1, "another-host").join(" ");
  Deno.writeTextFileSync(file, `running         \n${foreign}\nsupervisor 1\n`);
  Deno.utimeSync(file, 0, 0);
  Deno.writeTextFileSync(`${node.root}/.grid/jobs/elsewhere-1.out`, "it prints");
  const listed = await listJobs(node.transport, node.root);
  assert.deepEqual(listed.map(({ id }) => id), [spec.id]);
  assert.deepEqual(await pruneJobs(node.transport, node.root), []);
  // Whoever started it here finds the host renamed, and the job gone.
  const job = await attachJob(node.transport, { ...spec, id: "elsewhere-1" });
  assert.ok(job);
  assert.deepEqual((await followAll(job)).exit, { kind: "vanished" });
  Deno.utimeSync(`${node.root}/.grid/jobs/elsewhere-1.out`, 0, 0);
  assert.deepEqual(await pruneJobs(node.transport, node.root), ["elsewhere-1"]);
});

Deno.test("many jobs are ended together, each with its own tree", async () => {
  await using node = await openLocalNode();
  let calls = 0;
  const exec = node.transport.exec.bind(node.transport);
  node.transport.exec = (command, options) => {
    if (command.startsWith("grid_signal")) calls++;
    return exec(command, options);
  };
  const start = (command: string) => startJob(node.transport, jobSpec(node, { command }));
  const jobs = await Promise.all(
    Array.from({ length: 20 }, () => start("setsid sleep 1000 & sleep 1000")),
  );
  const spared = await start("sleep 1000");
  const pids = (id: string) => processesWith(`GRID_JOB=${id}`).length;
  const sleeps = (id: string) =>
    processesWith(`GRID_JOB=${id}`).filter(({ command }) => command.startsWith("sleep")).length;
  await waitFor(() => jobs.every(({ id }) => sleeps(id) === 2));
  const reports = await Promise.all(jobs.map((job) => job.kill({ graceMs: 2000 })));
  for (const { survivors } of reports) assert.deepEqual(survivors, []);
  for (const { id } of jobs) assert.equal(pids(id), 0);
  assert.ok(calls < 20, `${calls} calls`);
  assert.ok(pids(spared.id) > 0);
  await spared.kill({ graceMs: 1000 });
});
