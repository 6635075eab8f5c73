/**
 * A whole pipeline beside the same done by hand with the tools that people have today, on ten OpenSSH nodes
 * of this machine and the same Ray: look at all nodes, bring 500 files to all, one of them changed since
 * the last time, train on the least loaded, score 200 items with Ray.
 *
 * By hand: Ansible with pipelining looks and trains, ten `rsync -az --delete` at once bring the files, and
 * `ray job submit` runs the batch. Ansible and rsync keep their connections between rounds (ControlPersist),
 * Grid opens its own each time. `GRID_BENCH_ANSIBLE_VENV` is a virtual environment with ansible-core
 * (`/opt/grid-ansible-venv`; `pip install ansible-core==2.19.4`). Promise: at least 6.5 times as fast.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { programArgs } from "../support/cli.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { freePort } from "../support/ray_lab.ts";
import { findProgram, findRayDashboardVenv } from "../support/requires.ts";
import { tempDir } from "../support/temp_dir.ts";

const ROUNDS = Number(Deno.env.get("GRID_BENCH_ROUNDS") ?? 5);
const NODES = 10;
const FILES = 500;
const ANSIBLE = Deno.env.get("GRID_BENCH_ANSIBLE_VENV") ?? "/opt/grid-ansible-venv";

const WORK = `
def score(item):
    return {"id": item["id"], "score": item["id"] * 0.5}
`;

/** What the driver of `ray job submit` does; the tasks are the same. */
const DRIVER = `
import json, sys
import ray
from work import score
ray.init(address="auto", log_to_driver=False)
@ray.remote
def batch(items):
    return [score(item) for item in items]
items = [json.loads(line) for line in open("items.jsonl")]
parts = [batch.remote(items[at:at + 50]) for at in range(0, len(items), 50)]
results = [result for part in parts for result in ray.get(part)]
print(len(results))
`;

const PIPELINE = `name: bench
steps:
  - { id: code, sync: { from: code, to: all } }
  - { id: pick, needs: code, select-node: {} }
  - { id: train, needs: pick, run: 'test $(ls | wc -l) -ge ${FILES}' }
  - id: score
    needs: train
    ray-batch: { call: "work:score", tasks: { file: code/items.jsonl }, batch-size: 50 }
`;

/**
 * With the inventory and ssh's configuration beside it. The nodes share a disk, so that each has a folder of
 * its own there.
 */
const BY_HAND = `#!/usr/bin/env bash
set -euo pipefail
best=$(ansible -i hosts all -m shell -a 'cat /proc/loadavg' -o | sort -t')' -k2 | head -n 1 | cut -d' ' -f1)
seq -f 'node%g' ${NODES} |
  xargs -P ${NODES} -I{} rsync -az --delete --mkpath -e 'ssh -F ssh_config' code/ {}:"$PWD"/by_hand/{}/code/
ansible -i hosts "$best" -m shell -a "test \$(ls $PWD/by_hand/$best/code | wc -l) -ge ${FILES}"
ray job submit --working-dir code -- python driver.py
`;

async function main(): Promise<void> {
  const venv = findRayDashboardVenv();
  const missing = [
    ...["sshd", "ssh", "rsync"].filter((name) => findProgram(name) === undefined),
    ...(venv ? [] : ["ray[default]"]),
    ...(existsSync(join(ANSIBLE, "bin", "ansible")) ? [] : ["ansible"]),
  ];
  if (!venv || missing.length > 0) return console.log(`not installed: ${missing.join(", ")}`);
  await using lab = await startOpenSsh({ nodes: NODES, gpus: 0, ray: "dashboard" });
  using folder = tempDir();
  const path = (name: string) => join(folder.path, name);
  const nodes = lab.nodes.map(({ endpoint }) => endpoint);
  const [head] = lab.nodes;
  if (!head) return;
  const dashboardPort = freePort();
  const json = (value: string) => JSON.stringify(value);
  const files = {
    "cluster.yaml": [
      "nodes:",
      ...nodes.map(({ name, host, port, user }) =>
        `  - { name: ${name}, host: ${host}, port: ${port}, user: ${user} }`
      ),
      `ssh: { key_file: ${json(lab.keyFile)}, known_hosts: ${json(lab.knownHosts)} }`,
      "health_check: { timeout: 10 }",
      `ray: { mode: managed, redis_port: ${freePort()}, dashboard_port: ${dashboardPort} }`,
      "",
    ].join("\n"),
    "bench.yaml": PIPELINE,
    "by_hand.sh": BY_HAND,
    hosts: nodes.map(({ name }) => `${name}\n`).join(""),
    ssh_config: [
      ...nodes.flatMap(({ name, host, port, user }) => [
        `Host ${name}`,
        ...[`HostName ${host}`, `Port ${port}`, `User ${user}`],
      ]),
      "Host *",
      `IdentityFile ${lab.keyFile}`,
      `UserKnownHostsFile ${lab.knownHosts}`,
      "ControlMaster auto",
      `ControlPath ${path("cm")}-%C`,
      "ControlPersist 120s",
      "",
    ].join("\n"),
    "ansible.cfg": [
      "[defaults]",
      `forks = ${NODES}`,
      "host_key_checking = True",
      "interpreter_python = /usr/bin/python3",
      "[ssh_connection]",
      "pipelining = True",
      `ssh_args = -F ${path("ssh_config")}`,
      "",
    ].join("\n"),
    "code/work.py": WORK,
    "code/driver.py": DRIVER,
    "code/items.jsonl": Array.from({ length: 200 }, (_, id) => `{"id": ${id}}\n`).join(""),
    ...Object.fromEntries(
      Array.from({ length: FILES }, (_, at) => [`code/part_${at}.py`, `X = ${at}\n`.repeat(50)]),
    ),
  };
  Deno.mkdirSync(path("code"));
  for (const [name, text] of Object.entries(files)) Deno.writeTextFileSync(path(name), text);

  const run = async (
    command: string,
    args: readonly string[],
    env: Record<string, string> = {},
  ) => {
    const begun = performance.now();
    const { success, stdout, stderr } = await new Deno.Command(command, {
      args: [...args],
      cwd: folder.path,
      env: { HOME: folder.path, NO_COLOR: "1", ...env },
    }).output();
    if (success) return performance.now() - begun;
    const decoder = new TextDecoder();
    throw new Error(`${command} ${args[0]}: ${decoder.decode(stdout)}${decoder.decode(stderr)}`);
  };
  const grid = (...args: string[]) =>
    run(Deno.execPath(), programArgs([...args, "--config", "cluster.yaml"]));
  await grid("cluster", "start", "--nodes", "node1,node2");
  try {
    const token = Deno.readTextFileSync(join(head.root, ".grid", "ray", "token")).trim();
    const byHand = () =>
      run("bash", ["by_hand.sh"], {
        PATH: `${join(ANSIBLE, "bin")}:${join(venv, "bin")}:${Deno.env.get("PATH")}`,
        ANSIBLE_CONFIG: path("ansible.cfg"),
        ANSIBLE_DEPRECATION_WARNINGS: "False",
        RAY_ADDRESS: `http://127.0.0.1:${dashboardPort}`,
        RAY_AUTH_MODE: "token",
        RAY_AUTH_TOKEN: token,
      });
    const times: { grid: number[]; hand: number[] } = { grid: [], hand: [] };
    // The first round brings everything, and is shown apart.
    for (let round = 0; round <= ROUNDS; round++) {
      Deno.writeTextFileSync(path("code/part_7.py"), `ROUND = ${round}\n`);
      times.grid.push(await grid("run", "bench.yaml"));
      times.hand.push(await byHand());
    }
    const row = (name: string, ours: number, theirs: number) =>
      console.log(
        `${name}: grid ${ours.toFixed(0)} ms, by hand ${theirs.toFixed(0)} ms, ` +
          `${(theirs / ours).toFixed(1)} times as fast`,
      );
    row("first", times.grid[0] ?? NaN, times.hand[0] ?? NaN);
    row(`one file changed, median of ${ROUNDS}`, median(times.grid), median(times.hand));
  } finally {
    await grid("cluster", "stop", "--nodes", "node1,node2");
    for (const { name } of nodes) {
      await run("ssh", ["-F", "ssh_config", "-O", "exit", name]).catch(() => {});
    }
  }
}

/** Without the first. */
function median([, ...later]: readonly number[]): number {
  return later.toSorted((a, b) => a - b)[Math.floor(later.length / 2)] ?? NaN;
}

await main();
