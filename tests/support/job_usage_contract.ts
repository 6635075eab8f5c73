/** What a node says that jobs used, against what the kernel tells GNU time. */
import assert from "node:assert/strict";
import { startJob } from "../../src/transport/job/job_start.ts";
import { type ContractNode, followAll, jobSpec } from "./job_contract.ts";
import { setGpus, writeFakeNvidiaSmi } from "./fake_nvidia_smi.ts";
import { openAccountNode, withLauncher } from "./job_nodes.ts";
import { testWith } from "./requires.ts";
import { tempDir } from "./temp_dir.ts";

/**
 * 160 MiB that are written to, 1.2 s of work, and then until it has been looked at twice more and its GPUs once:
 * a busy machine takes its time.
 */
const WORK = `import os, sys, time
held = b"x" * (160 << 20)
while time.process_time() < 1.2: sum(range(20000))
path = os.environ["GRID_OUTPUT"][:-len("output")] + "use"
looks = lambda: open(path).read().split("\\n")[:-1] if os.path.exists(path) else []
least = len(looks()) + 2
until = time.monotonic() + 120
while time.monotonic() < until:
    found = looks()
    if len(found) >= least and any(line.split()[-1].isdigit() for line in found): break
    time.sleep(0.1)
`;
/** Between the two; the job's own shell takes a part of it. */
const TOLERANCE = 0.05;

const SHELLS = [["dash"], ["bash", "--posix"], ["busybox", "ash"]];

/** All of them at once: they mostly wait. None goes on when the first has failed. */
export function describeUsage(name: string): void {
  testWith(["dash", "busybox", "perl", "python3", "time"], name, async () => {
    using home = tempDir();
    writeFakeNvidiaSmi(home.path, { gpus: 0 });
    setGpus(home.path, [{ memoryUsed: 9, utilization: 3 }, { memoryUsed: 7000, utilization: 81 }]);
    const env = { HOME: home.path, PATH: `${home.path}/bin:${Deno.env.get("PATH")}` };
    const ends = await Promise.allSettled(SHELLS.flatMap((shell) => {
      const open = () => openAccountNode({ shell, env });
      const name = shell.join(" ");
      return [agrees(name, open), agrees(`${name}, launched`, withLauncher(open))];
    }));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  });
}

async function agrees(shell: string, open: () => Promise<ContractNode>): Promise<void> {
  await using node = await open();
  // As a job does that has claimed one.
  const claim = 'echo GPU-00000001 >"${GRID_OUTPUT%.output}.gpus"';
  const command = `${claim}; exec time -f '%M %U %S' python3 -c '${WORK}'`;
  const job = await startJob(node.transport, jobSpec(node, { command }));
  const { exit, stderr } = await followAll(job);
  assert.deepEqual(exit, { kind: "code", code: 0 }, shell);
  const [kib = 0, user = 0, system = 0] = stderr.trim().split(" ").map(Number);
  const { usage } = job;
  near(usage?.peakBytes, kib * 1024, `${shell}: memory`);
  near(usage?.cpuMs, (user + system) * 1000, `${shell}: processor`);
  assert.equal(usage?.cpuMs, (usage?.userMs ?? 0) + (usage?.systemMs ?? 0));
  assert.deepEqual([usage?.gpuPeakBytes, usage?.gpuLoad], [7000 * 2 ** 20, 81], shell);
  assert.ok((usage?.samples?.atMs.length ?? 0) >= 2, shell);
  await job.remove();
  const left = [...Deno.readDirSync(`${node.root}/.grid/jobs`)].map(({ name }) => name);
  assert.deepEqual(left, [], shell);
}

function near(found: number | undefined, expected: number, what: string): void {
  const off = Math.abs((found ?? 0) - expected) / expected;
  assert.ok(off <= TOLERANCE, `${what}: ${found}, but GNU time says ${expected}`);
}
