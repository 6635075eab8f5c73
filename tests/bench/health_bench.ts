/**
 * Health of many nodes beside clush, on one sshd of this machine with the same key exchange. Every node
 * is a name of its own with a connection of its own. `deno task bench health`; sizes by COLD and WARM.
 */
import { join } from "node:path";
import { configOf } from "../../src/cluster/defaults.ts";
import { openCluster } from "../../src/cluster/open.ts";
import { probeCommand } from "../../src/cluster/probe.ts";
import { systemClock } from "../../src/core/clock.ts";
import { createPool } from "../../src/transport/pool.ts";
import { grid } from "../support/cli.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { findProgram } from "../support/requires.ts";
import { MemoryCache } from "../unit/cluster/nodes.ts";

const COLD = Number(Deno.env.get("COLD") ?? 100);
const WARM = Number(Deno.env.get("WARM") ?? 1000);
const ROUNDS = 5;
/** ssh2 knows no newer one, so both sides are held to it. */
const KEX = "curve25519-sha256";
/** Connections under way at once, for both; clush's default. */
const FANOUT = 64;

await using lab = await startOpenSsh({
  nodes: 1,
  gpus: 0,
  sshdConfig: ["MaxStartups 2000", `KexAlgorithms ${KEX}`, "LogLevel ERROR"],
});
const [server] = lab.nodes;
if (!server) throw new Error("no server");
const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index + 1}`);

function rawConfig(count: number) {
  return {
    nodes: names(count).map((name) => ({
      name,
      host: server!.host,
      port: server!.port,
      user: server!.endpoint.user,
    })),
    ssh: { key_file: lab.keyFile, known_hosts: lab.knownHosts, pool_size: FANOUT },
    health_check: { timeout: 60, max_workers: FANOUT },
  };
}

interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

async function measure(rounds: number, work: () => Promise<void>): Promise<Spread> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const start = performance.now();
    await work();
    times.push(performance.now() - start);
  }
  const sorted = times.toSorted((a, b) => a - b);
  return {
    median: sorted[sorted.length >> 1] ?? Number.NaN,
    least: sorted[0] ?? Number.NaN,
    most: sorted.at(-1) ?? Number.NaN,
  };
}

function show(name: string, spread: Spread, note = ""): void {
  const seconds = (ms: number) => (ms / 1000).toFixed(2).padStart(6);
  console.log(
    `${name.padEnd(46)} ${seconds(spread.median)} s  (${seconds(spread.least).trim()}–${
      seconds(spread.most).trim()
    })  ${note}`,
  );
}

/** The whole program, cold: a process, its connections, its table. */
async function coldGrid(count: number): Promise<void> {
  const file = join(lab.folder, "cluster.yaml");
  Deno.writeTextFileSync(file, JSON.stringify(rawConfig(count)));
  const project = Deno.makeTempDirSync({ dir: lab.folder });
  const result = await grid(["health", "--fresh", "--json", "--config", file], { cwd: project });
  const rows: { status: string; reason?: string }[] = JSON.parse(result.stdout).nodes;
  const bad = rows.find(({ status }) => status !== "ok");
  if (rows.length !== count || bad) throw new Error(`${result.stderr}\n${JSON.stringify(bad)}`);
}

/** The same probe by clush, which starts one ssh per node. */
async function coldClush(count: number): Promise<void> {
  const config = join(lab.folder, "ssh_config");
  const { host, port, endpoint } = server!;
  Deno.writeTextFileSync(
    config,
    `Host n*
  HostName ${host}
  Port ${port}
  User ${endpoint.user}
  IdentityFile ${lab.keyFile}
  IdentitiesOnly yes
  UserKnownHostsFile ${lab.knownHosts}
  StrictHostKeyChecking yes
  KexAlgorithms ${KEX}
  LogLevel ERROR
`,
  );
  const script = probeCommand({ root: "~/grid_workspace", gpuSeconds: 2 });
  const { stdout, success } = await new Deno.Command("clush", {
    args: ["-q", "-f", String(FANOUT), "-o", `-F ${config}`, "-w", `n[1-${count}]`, script],
    stdin: "null",
  }).output();
  const answers = new TextDecoder().decode(stdout).match(/@grid-probe end/g)?.length ?? 0;
  if (!success || answers !== count) throw new Error(`clush: ${answers} of ${count} answers`);
}

async function warm(count: number): Promise<void> {
  const config = configOf(rawConfig(count), { file: undefined, project: lab.folder, env: {} });
  await using pool = createPool({ handshakes: FANOUT });
  const cache = new MemoryCache();
  const random = Math.random;
  const project = lab.folder;
  const cluster = openCluster({ config, pool, cache, clock: systemClock, project, random });
  const refresh = async () => {
    const rows = await cluster.health({ fresh: true });
    const bad = rows.find(({ status }) => status !== "ok");
    if (bad) throw new Error(`${bad.node}: ${bad.reason}`);
  };
  show(`grid, first look at ${count} nodes`, await measure(1, refresh));
  show(`grid, refresh of ${count} warm nodes`, await measure(ROUNDS, refresh), "budget 1 s");
  const cached = async () => void await cluster.health();
  show(`grid, ${count} nodes from the cache`, await measure(ROUNDS, cached));
  const { rss } = Deno.memoryUsage();
  console.log(`memory ${Math.round(rss / 2 ** 20)} MB, load ${Deno.loadavg()[0]?.toFixed(1)}`);
}

const gridCold = await measure(ROUNDS, () => coldGrid(COLD));
show(`grid health, ${COLD} cold nodes`, gridCold);
if (findProgram("clush")) {
  const clush = await measure(ROUNDS, () => coldClush(COLD));
  const ratio = (clush.median / gridCold.median).toFixed(1);
  show(`clush, the same probe`, clush, `grid is ${ratio}× faster, budget 3×`);
}
await warm(WARM);
