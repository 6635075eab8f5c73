/** What a node says that jobs used, against what the kernel tells GNU time. */
import assert from "node:assert/strict";
import { startJob } from "../../src/transport/job/job_start.ts";
import { type ContractNode, followAll, jobSpec } from "./job_contract.ts";
import { testWith } from "./requires.ts";

/** 160 MiB that are written to, 1.2 s of work, and long enough to be looked at more than once. */
const WORK = `import sys, time
held = b"x" * (160 << 20)
while time.process_time() < 1.2: sum(range(20000))
time.sleep(1.5)
`;
/** Between the two; the job's own shell takes a part of it. */
const TOLERANCE = 0.05;

/** All of them at once: they mostly wait. */
export function describeUsage(
  name: string,
  nodes: Readonly<Record<string, () => Promise<ContractNode>>>,
): void {
  testWith(["dash", "busybox", "perl", "python3", "time"], name, async () => {
    await Promise.all(Object.entries(nodes).map(([shell, open]) => agrees(shell, open)));
  });
}

async function agrees(shell: string, open: () => Promise<ContractNode>): Promise<void> {
  await using node = await open();
  const command = `exec time -f '%M %U %S' python3 -c '${WORK}'`;
  const job = await startJob(node.transport, jobSpec(node, { command }));
  const { exit, stderr } = await followAll(job);
  assert.deepEqual(exit, { kind: "code", code: 0 }, shell);
  const [kib = 0, user = 0, system = 0] = stderr.trim().split(" ").map(Number);
  const { usage } = job;
  near(usage?.peakBytes, kib * 1024, `${shell}: memory`);
  near(usage?.cpuMs, (user + system) * 1000, `${shell}: processor`);
  assert.equal(usage?.cpuMs, (usage?.userMs ?? 0) + (usage?.systemMs ?? 0));
  assert.ok((usage?.samples?.atMs.length ?? 0) >= 2, shell);
  await job.remove();
  const left = [...Deno.readDirSync(`${node.root}/.grid/jobs`)].map(({ name }) => name);
  assert.deepEqual(left, [], shell);
}

function near(found: number | undefined, expected: number, what: string): void {
  const off = Math.abs((found ?? 0) - expected) / expected;
  assert.ok(off <= TOLERANCE, `${what}: ${found}, but GNU time says ${expected}`);
}
