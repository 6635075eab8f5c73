/**
 * How long a Ray of three nodes takes to be ready: `grid cluster start` beside the same `ray start` by hand,
 * over `ssh` with a shared connection, the head first and then both workers at once. Ready is a cluster each
 * of whose nodes has answered a task; what `ray start` alone takes by hand is told, too. Rounds are
 * interleaved; medians. `GRID_BENCH_ROUNDS`, default 3.
 *
 * Promise: `grid cluster start` ≤ 1.2× by hand.
 */
import { join } from "node:path";
import { programArgs } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { type OpenSshLab, startOpenSsh } from "../support/openssh.ts";
import { freePort } from "../support/ray_lab.ts";
import { findProgram, findRayVenv } from "../support/requires.ts";
import { tempDir } from "../support/temp_dir.ts";

const ROUNDS = Number(Deno.env.get("GRID_BENCH_ROUNDS") ?? 3);
const STORE_BYTES = 100_000_000;

/** `probe.py ADDRESS IP NODES`: waits for the nodes, then asks each for a task. */
const PROBE = `
import sys, time
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy
ray.init(address=sys.argv[1], _node_ip_address=sys.argv[2], logging_level="WARNING")
deadline = time.monotonic() + 120
while sum(node["Alive"] for node in ray.nodes()) < int(sys.argv[3]):
    assert time.monotonic() < deadline, "not all nodes have come"
    time.sleep(0.1)
@ray.remote(num_cpus=0)
def answer():
    return True
where = [NodeAffinitySchedulingStrategy(node["NodeID"], soft=False) for node in ray.nodes()]
assert all(ray.get([answer.options(scheduling_strategy=place).remote() for place in where]))
`;

interface ByHand {
  /** Until every `ray start` has ended, and until every node has answered. */
  readonly startedMs: number;
  readonly readyMs: number;
}

async function main(): Promise<void> {
  if (!findRayVenv() || !findProgram("sshd")) return console.log("Ray or sshd is not installed");
  await using lab = await startOpenSsh({ nodes: 3, gpus: 0, ray: true });
  using folder = tempDir();
  Deno.mkdirSync(join(folder.path, ".grid"));
  const gcsPort = freePort();
  Deno.writeTextFileSync(
    join(folder.path, "lab.yml"),
    labConfig({ lab, rayMode: "managed" }).replace(
      "ray: { mode: managed }",
      `ray: { mode: managed, redis_port: ${gcsPort}, dashboard_port: ${freePort()}, ` +
        `object_store_memory: ${STORE_BYTES} }`,
    ),
  );
  const probe = join(folder.path, "probe.py");
  Deno.writeTextFileSync(probe, PROBE);
  const grid = (word: string) =>
    execute([Deno.execPath(), ...programArgs(["cluster", word, "--config", "lab.yml"])], {
      cwd: folder.path,
    });
  const gridMs: number[] = [];
  const hands: ByHand[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    gridMs.push(await grid("start"));
    await grid("stop");
    hands.push(await byHand(lab, { folder: folder.path, probe }));
  }
  const own = median(gridMs);
  const ratio = (of: (hand: ByHand) => number) =>
    median(gridMs.map((ms, at) => ms / of(hands[at] ?? { startedMs: NaN, readyMs: NaN })));
  const row = (name: string, ms: number, more = "") =>
    console.log(`${name.padEnd(46)} ${ms.toFixed(0).padStart(8)} ms   ${more}`);
  row("three nodes: grid cluster start", own);
  row(
    "three nodes: by hand, each answers a task",
    median(hands.map(({ readyMs }) => readyMs)),
    `grid ${ratio(({ readyMs }) => readyMs).toFixed(2)}×`,
  );
  row(
    "three nodes: by hand, ray start alone",
    median(hands.map(({ startedMs }) => startedMs)),
    `grid ${ratio(({ startedMs }) => startedMs).toFixed(2)}×`,
  );
}

async function byHand(
  lab: OpenSshLab,
  { folder, probe }: { readonly folder: string; readonly probe: string },
): Promise<ByHand> {
  const place = Deno.makeTempDirSync({ prefix: "grid-hand-" });
  const [head, ...workers] = lab.nodes;
  if (!head) throw new Error("the lab has no node");
  const address = `${head.host}:${freePort()}`;
  const env = "RAY_AUTH_MODE=disabled RAY_USAGE_STATS_ENABLED=0";
  const over = (node: OpenSshLab["nodes"][number], command: string) => {
    const options = [
      ...["-o", "ControlMaster=auto", "-o", "ControlPersist=60"],
      ...[
        "-S",
        join(place, node.name),
        "-i",
        lab.keyFile,
        "-o",
        `UserKnownHostsFile=${lab.knownHosts}`,
      ],
      ...["-p", String(node.port), node.host],
    ];
    return execute(["ssh", ...options, command], { cwd: folder });
  };
  const start = (node: OpenSshLab["nodes"][number], role: string) =>
    over(
      node,
      `${env} ${node.root}/grid_env/bin/ray start ${role} --node-ip-address ${node.host} ` +
        `--temp-dir ${join(place, `t-${node.name}`)} --object-store-memory ${STORE_BYTES} ` +
        "--min-worker-port 0 --max-worker-port 0 --disable-usage-stats " +
        ["dashboard-agent-listen-port", "dashboard-agent-grpc-port", "runtime-env-agent-port"]
          .map((name) => `--${name} ${freePort()}`).join(" "),
    );
  const began = performance.now();
  try {
    const port = address.split(":")[1];
    await start(head, `--head --include-dashboard false --port ${port}`);
    await Promise.all(workers.map((worker) => start(worker, `--address ${address}`)));
    const startedMs = performance.now() - began;
    const python = `${head.root}/grid_env/bin/python3`;
    await over(head, `${env} ${python} ${probe} ${address} ${head.host} ${lab.nodes.length}`);
    return { startedMs, readyMs: performance.now() - began };
  } finally {
    // Its own `ray stop` would end every Ray on this machine.
    for (const { pid, command } of lab.leftovers()) {
      if (/ray/i.test(command)) kill(pid);
    }
    for (const node of lab.nodes) {
      const words = ["-S", join(place, node.name), "-O", "exit", node.host];
      await new Deno.Command("ssh", { args: words, stderr: "null" }).output();
    }
    Deno.removeSync(place, { recursive: true });
  }
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** How long it took, in milliseconds. */
async function execute(
  words: readonly string[],
  { cwd }: { readonly cwd: string },
): Promise<number> {
  const began = performance.now();
  const [program = "", ...args] = words;
  // A connection that stays would keep pipes open.
  const log = join(cwd, "last.log");
  const child = new Deno.Command("sh", {
    args: ["-c", 'exec "$@" >>"$0" 2>&1', log, program, ...args],
    cwd,
    stdin: "null",
  });
  const { code } = await child.output();
  if (code !== 0) throw new Error(`${words.join(" ")}: ${Deno.readTextFileSync(log).slice(-2000)}`);
  return performance.now() - began;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

if (import.meta.main) await main();
