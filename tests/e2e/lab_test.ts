import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, project, REPOSITORY } from "../support/cli.ts";
import { setGpus } from "../support/fake_nvidia_smi.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { processesWith } from "../support/processes.ts";
import { testWith } from "../support/requires.ts";

testWith(
  ["sshd"],
  "health names the stopped and the busy node, and the third is chosen",
  async () => {
    await using lab = await startOpenSsh({ nodes: 3, gpus: 1 });
    using folder = project({ "lab.yaml": labConfig({ lab, rayMode: "embedded" }) });
    const [stopped, busy, idle] = lab.nodes;
    assert.ok(stopped && busy && idle);
    await stopped.stop();
    setGpus(busy.home, [{ memoryUsed: Math.round(24576 * 0.9), utilization: 97 }]);

    const health = await grid(["health", "--json", "--config", "lab.yaml"], { cwd: folder.path });
    assert.equal(health.code, 0, health.stderr);
    const rows = JSON.parse(health.stdout).nodes;
    assert.deepEqual(rows.map((row: { node: string }) => row.node), ["node1", "node2", "node3"]);
    assert.equal(rows[0].status, "unreachable");
    assert.match(rows[0].reason, /refused/);
    assert.ok(rows[1].gpuPercent >= 89 && rows[1].gpuPercent <= 91, `gpu ${rows[1].gpuPercent}`);

    const run = await grid(["run", "echo on $GRID_NODE", "--gpus", "1", "--config", "lab.yaml"], {
      cwd: folder.path,
    });
    assert.equal(run.code, 0, run.stderr);
    assert.equal(run.stdout, "on node3\n");
    assert.match(run.stderr, /node1.*refused/s);
  },
);

const RETRIED = `name: retried
steps:
  - id: code
    sync: { from: code, to: all }
  - id: score
    needs: code
    retry: { max: 1, on: [any], delay: 50ms }
    env: { MARK: "\${{ env('MARK') }}" }
    ray-batch: { call: "work:shaky", tasks: { range: 4 }, batch-size: 2 }
`;
const SHAKY = `import os
def shaky(task):
    if task == 2 and not os.path.exists(os.environ["MARK"]):
        open(os.environ["MARK"], "w").close()
        raise ValueError("not yet")
    return task * 10
`;

/** The first attempt is run by a driver that was started ahead, the second by one of its own; neither stays. */
async function retriedBehindAhead(root: string, { folder }: { readonly folder: string }) {
  Deno.mkdirSync(join(folder, "code"));
  Deno.writeTextFileSync(join(folder, "code/work.py"), SHAKY);
  Deno.writeTextFileSync(join(folder, "retried.yaml"), RETRIED);
  const { code, stdout, stderr } = await grid(
    ["run", "retried.yaml", "--json", "--config", "lab.yaml"],
    { cwd: folder, timeoutMs: 120_000, env: { MARK: join(folder, "mended") } },
  );
  assert.equal(code, 0, stderr);
  const { run, steps } = JSON.parse(stdout);
  assert.deepEqual(steps.at(-1).outputs.results, [0, 10, 20, 30]);
  const events = Deno.readTextFileSync(join(folder, ".grid/runs", run, "events.jsonl"));
  const jobs = events.match(/(?<="job":"[^"]*)-(1-ahead|1|2)(?=")/g);
  assert.deepEqual(jobs, ["-1-ahead", "-2"]);
  assert.deepEqual(
    processesWith(`GRID_ROOT=${root}`).filter(({ command }) => command.includes("GRID_BOOT")),
    [],
  );
  assert.deepEqual([...Deno.readDirSync(join(root, ".grid/jobs"))], []);
}

testWith(
  ["sshd", "ray", "python3"],
  "the main job runs unchanged on OpenSSH nodes and a Ray of two",
  async () => {
    await using lab = await startOpenSsh({ nodes: 3, ray: true, gpus: 0 });
    using folder = project({ "lab.yaml": labConfig({ lab, rayMode: "managed" }) });
    for (const name of ["examples", "pipelines"]) {
      Deno.symlinkSync(join(REPOSITORY, name), join(folder.path, name));
    }
    const options = { cwd: folder.path, timeoutMs: 240_000 };
    const start = await grid(
      ["cluster", "start", "--nodes", "node1,node2", "--config", "lab.yaml"],
      options,
    );
    assert.equal(start.code, 0, start.stderr);
    const logins = () => lab.nodes.map((node) => node.acceptedLogins());
    const before = logins();

    const run = await grid(
      ["run", "pipelines/train.yaml", "--json", "--config", "lab.yaml"],
      options,
    );
    assert.equal(run.code, 0, run.stderr);
    const report = JSON.parse(run.stdout);
    const score = report.steps.find((step: { kind: string }) => step.kind === "ray-batch");
    assert.equal(score.attempts[0].batch.mode, "managed");
    assert.deepEqual(logins().map((count, index) => count - (before[index] ?? 0)), [1, 1, 1]);

    await retriedBehindAhead(lab.nodes[0]?.root ?? "", { folder: folder.path });

    const stop = await grid(["cluster", "stop", "--config", "lab.yaml"], options);
    assert.equal(stop.code, 0, stop.stderr);
    const ray = processesWith(`GRID_LAB=${lab.folder}`).filter(({ command }) =>
      /ray/i.test(command)
    );
    assert.deepEqual(ray, []);
    assert.deepEqual(lab.leftovers(), []);
  },
);
