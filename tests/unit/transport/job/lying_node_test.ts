/** What a node says about jobs is believed only where its programs could have said it. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { GridError } from "../../../../src/core/errors.ts";
import { listJobs } from "../../../../src/transport/job/job_list.ts";
import { mayHaveStarted, startJob } from "../../../../src/transport/job/job_start.ts";
import { JobLink } from "../../../../src/transport/job/job_link.ts";
import { killTree } from "../../../../src/transport/job/job_kill.ts";
import { parseLooks } from "../../../../src/transport/job/node_signals.ts";
import { LocalChannel } from "../../../../src/transport/local_channel.ts";
import { openShellChannel } from "../../../../src/transport/shell/shell_channel.ts";
import { followAll, jobSpec } from "../../../support/job_contract.ts";
import { localEndpoint } from "../../../support/local_node.ts";
import { lyingNode } from "../../../support/lying_node.ts";

function liar(lies: Parameters<typeof lyingNode>[0]) {
  return { transport: lyingNode(lies), root: "/r", [Symbol.asyncDispose]: () => Promise.resolve() };
}

Deno.test("a job whose state nobody can read is an error that may have started it", async () => {
  for (
    const answer of ["", "hello\n", "job x 0 0 0 0 0 ended 0 code -\n", "job \0\n".repeat(1e5)]
  ) {
    const node = liar({ wait: () => answer });
    const error = await startJob(node.transport, jobSpec(node, { command: "true" })).then(
      () => undefined,
      (reason) => reason,
    );
    assert.ok(error instanceof GridError);
    assert.equal(error.code, "answer-invalid");
    assert.match(error.message, /^Cannot read what "liar" says about job "job-/);
    assert.ok(mayHaveStarted(error), "it is not started again as if nothing had been");
  }
});

Deno.test("more bytes than a node has sent are not waited for", async () => {
  const node = liar({
    wait: (command) => `job ${/job-[\w-]+/.exec(command)} 99 0 0 0 0 running\nfew`,
  });
  const starting = startJob(node.transport, jobSpec(node, { command: "true" }));
  await assert.rejects(starting, { code: "answer-invalid", message: /and then less than that/ });
});

Deno.test("a job that is said to be gone is an error, not a success", async () => {
  const node = liar({ wait: (command) => `job ${/job-[\w-]+/.exec(command)} 0 0 0 0 0 gone\n` });
  const job = await startJob(node.transport, jobSpec(node, { command: "true" }));
  await assert.rejects(followAll(job), { code: "workspace", message: /no longer has its files/ });
});

Deno.test("silence about processes is not taken for none", async () => {
  for (const answer of ["", "= another 5\n", "nothing\n"]) {
    const transport = lyingNode({ exec: () => answer });
    const link = new JobLink(transport, { id: "j", root: "/r", leaseMs: 0 });
    await assert.rejects(killTree(link, { graceMs: 10 }), (error: GridError) => {
      assert.match(`${error.message} ${error.cause}`, /job "j"/);
      return true;
    });
  }
});

Deno.test("what got the final signal is looked for again, however long a look takes", async () => {
  const after = async (looks: number) => {
    let left = looks;
    const transport = lyingNode({
      exec: (command) => {
        if (/\bKILL\b/.test(command)) left--;
        return `= j 5\n${left < 0 ? "" : "77:5 - x\n"}`;
      },
    });
    const link = new JobLink(transport, { id: "j", root: "/r", leaseMs: 0 });
    const { survivors } = await killTree(link, { graceMs: 0, finalMs: 0 });
    return survivors.map(({ pid }) => pid);
  };
  assert.deepEqual(await after(2), []);
  assert.deepEqual(await after(1000), [77]);
});

Deno.test("looks at processes: any text is read, and only processes are found", () => {
  const piece = fc.constantFrom(
    "= j",
    " ",
    "5",
    ":",
    "77",
    " - bash",
    " = perl",
    "\n",
    "-1:2 - x",
    "9e9:1 - y",
  );
  fc.assert(fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 60 }), (pieces) => {
    for (const [, { at, members }] of parseLooks(pieces.join(""))) {
      assert.match(at, /^(\d+|-)$/);
      for (const identity of members.keys()) assert.match(identity, /^\d{1,10}:\d{0,20}=?$/);
    }
  }));
  const look = parseLooks("= j 400\n12:34 - sleep\n13:35 = perl\n").get("j");
  assert.deepEqual([...look?.members ?? []], [["12:34", "sleep"], ["13:35=", "perl"]]);
});

Deno.test("lists of jobs: only what can be a job is listed", async () => {
  const list = async (text: string) => await listJobs(lyingNode({ exec: () => text }), "/r");
  assert.deepEqual(await list("a\tleased\t1700000000000\trunning\t12 13 \n"), [{
    id: "a",
    state: "running",
    exitCode: undefined,
    startedAt: 1_700_000_000_000,
    detached: false,
    pids: [12, 13],
  }]);
  for (
    const line of [
      "../x\tleased\t1\trunning\t",
      "a\tleased\tNaN\trunning\t",
      "a\tother\t1\trunning\t",
      "empty\t-\t0\tstarting\t",
      "\x1b[2J\tleased\t1\trunning\t",
      "a",
    ]
  ) assert.deepEqual(await list(`${line}\n`), [], line);
  await fc.assert(fc.asyncProperty(fc.string({ unit: "binary" }), async (text) => {
    for (const { id, startedAt } of await list(text)) {
      assert.match(id, /^\w[\w.-]*$/);
      assert.ok(Number.isFinite(startedAt));
    }
  }));
});

for (
  const [what, lie] of [
    ["an endless line", "yes | tr -d '\\n'"],
    ["endless lines", "yes 'job a 0 0 0 0 0 running'"],
  ] as const
) {
  Deno.test(`an answer without an end is given up at its bound: ${what}`, async () => {
    const endpoint = localEndpoint({ name: "liar" });
    const open = (command: string) =>
      Promise.resolve(
        new LocalChannel({ args: ["-c", command], cwd: "/", ends: "group", env: {} }),
      );
    await using shell = openShellChannel({ endpoint, open });
    const before = Deno.memoryUsage().rss;
    const stop = new AbortController().signal;
    await assert.rejects(shell.wait(lie, { stop, maxBytes: 2 ** 20 }), {
      code: "answer-too-long",
      message: /"liar".*more than 1048576 bytes/,
    });
    assert.ok(Deno.memoryUsage().rss - before < 100 * 2 ** 20);
    assert.equal((await shell.exec("echo on")).stdout, "on\n", "another shell goes on");
  });
}
