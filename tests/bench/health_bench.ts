/**
 * Health of many nodes beside clush, on one sshd of this machine with the same key exchange. Every node
 * is a name of its own with a connection of its own. `deno task bench health`; sizes by COLD and WARM,
 * rounds by ROUNDS; OLD names a commit that is measured in the same run. clush is measured where it is
 * on the PATH (`pip install ClusterShell`).
 *
 * Below each cold figure stands who spent the time of the processors: the client (Grid, or clush and its
 * ssh) and the server (sshd, shells, the probe), each in programs and in the kernel. Real nodes have
 * processors of their own, so there the client's part is what counts.
 *
 * Where the time of a first look goes, in milliseconds of CPU per node (OpenSSH 9.2, Ed25519 keys, two cores
 * of a virtual machine, 2026-11): sshd by itself 30, for `ssh host true`, whoever asks for it (10 of them its
 * own Curve25519 and Ed25519, 11 the kernel's for processes, 6 loading its libraries; with ecdh-sha2-nistp256
 * it is 26); the account's shell, /bin/sh and the probe 6; this process 5 to 7. `ssh` needs 18 in place of
 * this process's. Each costs a fifth more where 64 logins are under way than where 8 are.
 * So with servers and client on one machine no client is three times as fast as clush, whose nodes cost 64:
 * sshd's own part is more than a third of that; and a thousand nodes take 15 s of both cores for nothing
 * but sshd. Real nodes have CPUs of their own, and then it is 6 against 18.
 *
 * A refresh of a warm node costs 0.32 here (a fifth of it collects garbage) and 0.24 there: sshd 0.11, which wakes
 * for the question and for the answer, and its shell 0.13, where a subshell alone would be 0.3 more.
 *
 * Of its memory about 47 KB of the heap are held for each connection that is kept open.
 */
import { join } from "node:path";
import process from "node:process";
import { configOf } from "../../src/cluster/defaults.ts";
import { openCluster } from "../../src/cluster/open.ts";
import { probeCommand } from "../../src/cluster/probe.ts";
import { systemClock } from "../../src/core/clock.ts";
import { createPool } from "../../src/transport/pool.ts";
import { grid, programArgs, REPOSITORY } from "../support/cli.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { findProgram } from "../support/requires.ts";
import { MemoryCache } from "../unit/cluster/nodes.ts";

const COLD = Number(Deno.env.get("COLD") ?? 100);
const WARM = Number(Deno.env.get("WARM") ?? 1000);
const ROUNDS = Number(Deno.env.get("ROUNDS") ?? 5);
const OLD = Deno.env.get("OLD");
/** ssh2 knows no newer one, so both sides are held to it. */
const KEX = "curve25519-sha256";
/** Connections under way at once, for both; clush's default. */
const FANOUT = 64;

await using lab = await startOpenSsh({
  nodes: 1,
  gpus: 0,
  host: "0.0.0.0",
  sshdConfig: ["MaxStartups 2000", `KexAlgorithms ${KEX}`, "LogLevel INFO"],
});
const [server] = lab.nodes;
if (!server) throw new Error("no server");
// Every node has an address of its own, as it has a row of its own in the cache.
const addressOf = (index: number) => `127.1.${index >> 8}.${index & 255}`;
Deno.writeTextFileSync(
  lab.knownHosts,
  `[127.1.*]:${server.port} ${Deno.readTextFileSync(`${server.hostKeyFile}.pub`)}`,
);
const names = (count: number) => Array.from({ length: count }, (_, index) => `n${index + 1}`);

function rawConfig(count: number) {
  return {
    nodes: names(count).map((name, index) => ({
      name,
      host: addressOf(index),
      port: server!.port,
      user: server!.endpoint.user,
    })),
    ssh: {
      key_file: lab.keyFile,
      known_hosts: lab.knownHosts,
      pool_size: FANOUT,
      connect_timeout: 60,
    },
    health_check: { timeout: 60, max_workers: FANOUT },
  };
}

interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** Seconds of processors. */
interface Cost {
  readonly user: number;
  readonly system: number;
}

/** Of what has ended: our own children are clients, the daemon's are connections with their shells. */
function spent(): { readonly client: Cost; readonly server: Cost } {
  return { client: endedOf("self"), server: endedOf(String(server!.pid())) };
}

function endedOf(pid: string): Cost {
  const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return { user: Number(fields[13]) / 100, system: Number(fields[14]) / 100 };
}

/** Connections whose client has gone end a moment later. */
const ENDING_MS = 1000;

/** Mean of a round. */
async function withCost(
  rounds: number,
  work: () => Promise<void>,
): Promise<Spread & { readonly cost: string; readonly clientCpu: number }> {
  const before = spent();
  const spread = await measure(rounds, work);
  await new Promise((resolve) => setTimeout(resolve, ENDING_MS));
  const after = spent();
  const part = (who: "client" | "server", what: keyof Cost) =>
    (after[who][what] - before[who][what]) / rounds;
  const words = (who: "client" | "server") =>
    `${who} ${(part(who, "user") + part(who, "system")).toFixed(2)} s, ` +
    `${part(who, "system").toFixed(2)} of it in the kernel`;
  const clientCpu = part("client", "user") + part("client", "system");
  return { ...spread, clientCpu, cost: `of processors: ${words("client")}; ${words("server")}` };
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

interface ColdOptions {
  /** A checkout of Grid; default this one. */
  readonly build?: string | undefined;
  /** A project that has asked before; default one that has not. */
  readonly project?: string;
}

function configFile(count: number): string {
  const file = join(lab.folder, "cluster.yaml");
  Deno.writeTextFileSync(file, JSON.stringify(rawConfig(count)));
  return file;
}

/** A project of its own, whatever lies in the folders above. */
function newProject(): string {
  const folder = Deno.makeTempDirSync({ dir: lab.folder });
  Deno.mkdirSync(join(folder, ".grid"), { mode: 0o700 });
  return folder;
}

/** The whole program: a process, its connections where it needs some, its table. */
async function coldGrid(count: number, { build, project }: ColdOptions = {}): Promise<void> {
  const file = configFile(count);
  const cwd = project ?? newProject();
  const isCached = project !== undefined;
  const args = ["health", ...(isCached ? [] : ["--fresh"]), "--json", "--config", file];
  const result = build === undefined
    ? await grid(args, { cwd, timeoutMs: 300_000 })
    : await oldGrid(build, { args, cwd });
  const rows: { status: string; reason?: string }[] = JSON.parse(result.stdout).nodes;
  const bad = rows.find(({ status }) => status !== "ok");
  if (rows.length !== count || bad) throw new Error(`${result.stderr}\n${JSON.stringify(bad)}`);
}

/** Megabytes of the whole program at its most, with the table that people see. */
async function peakMemory(count: number): Promise<number> {
  const args = programArgs(["health", "--config", configFile(count)]);
  const { stderr } = await new Deno.Command("time", {
    args: ["-f", "%M", Deno.execPath(), ...args],
    cwd: newProject(),
    stdin: "null",
  }).output();
  return Number(new TextDecoder().decode(stderr).trim().split("\n").at(-1)) / 1000;
}

async function oldGrid(
  build: string,
  { args, cwd }: { readonly args: readonly string[]; readonly cwd: string },
) {
  const main = join(build, "src", "cli", "main.ts");
  const config = join(build, "deno.json");
  const words = ["run", "-A", "--quiet", "--no-check", "--config", config, main, ...args];
  const output = await new Deno.Command(Deno.execPath(), { args: words, cwd, stdin: "null" })
    .output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { stdout: text(output.stdout), stderr: text(output.stderr) };
}

/** Another state of this repository beside this one, for as long as the bench runs. */
async function checkout(commit: string): Promise<string> {
  const folder = join(lab.folder, "old");
  const args = ["worktree", "add", "--detach", folder, commit];
  const { success, stderr } = await new Deno.Command("git", { args, cwd: REPOSITORY }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
  return folder;
}

/** Where the time of a first look goes: this process, or the server and its shells. */
async function cpuOf(work: () => Promise<void>): Promise<string> {
  const ticks = () => ({ all: cpuTicks("/proc/stat"), own: process.cpuUsage() });
  const before = ticks();
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  const after = ticks();
  const own = (after.own.user + after.own.system - before.own.user - before.own.system) / 1e6;
  const { user, system } = {
    user: (after.all.user - before.all.user) / 100,
    system: (after.all.system - before.all.system) / 100,
  };
  return `${seconds.toFixed(2)} s: this process ${own.toFixed(2)} s of CPU; the whole machine ` +
    `${user.toFixed(2)} s in programs and ${system.toFixed(2)} s in the kernel`;
}

/** Hundredths of a second that all processors have spent. */
function cpuTicks(file: string): { readonly user: number; readonly system: number } {
  const [, user = 0, nice = 0, system = 0] =
    Deno.readTextFileSync(file).split("\n")[0]?.split(/\s+/).map(Number) ?? [];
  return { user: user + nice, system };
}

/** The same probe by clush, which starts one ssh per node. */
async function coldClush(count: number): Promise<void> {
  const config = join(lab.folder, "ssh_config");
  const { port, endpoint } = server!;
  Deno.writeTextFileSync(
    config,
    names(count).map((name, index) => `Host ${name}\n  HostName ${addressOf(index)}\n`).join("") +
      `Host *
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
  console.log(`grid, first look at ${count} nodes in one process  ${await cpuOf(refresh)}`);
  show(`grid, refresh of ${count} warm nodes`, await measure(ROUNDS, refresh), "budget 0.5 s");
  const cached = async () => void await cluster.health();
  show(`grid, ${count} nodes from the cache`, await measure(ROUNDS, cached));
  const { rss } = Deno.memoryUsage();
  console.log(
    `memory with all connections open ${Math.round(rss / 2 ** 20)} MB, load ${
      Deno.loadavg()[0]?.toFixed(1)
    }`,
  );
}

const gridCold = await withCost(ROUNDS, () => coldGrid(COLD));
show(`grid health, ${COLD} cold nodes`, gridCold, gridCold.cost);
if (findProgram("clush")) {
  const clush = await withCost(ROUNDS, () => coldClush(COLD));
  const ratio = (clush.median / gridCold.median).toFixed(1);
  const cpu = (clush.clientCpu / gridCold.clientCpu).toFixed(1);
  show(`clush, the same probe`, clush, clush.cost);
  console.log(
    `grid is ${ratio}× faster, budget 3×; its client needs ${cpu}× less of the processors`,
  );
}
const first = await withCost(ROUNDS, () => coldGrid(WARM));
show(`grid health, first look at ${WARM} nodes`, first, first.cost);
if (findProgram("time")) {
  const peaks: number[] = [];
  for (let round = 0; round < ROUNDS; round++) peaks.push(await peakMemory(WARM));
  const [least, most] = [Math.min(...peaks), Math.max(...peaks)].map(Math.round);
  console.log(`its memory at the most ${least} to ${most} MB, budget 200 MB`);
}
if (OLD !== undefined) {
  const build = await checkout(OLD);
  try {
    const old = await withCost(ROUNDS, () => coldGrid(WARM, { build }));
    const ratio = (first.median / old.median).toFixed(2);
    const cpu = (first.clientCpu / old.clientCpu).toFixed(2);
    show(`the same by ${OLD.slice(0, 7)}`, old, old.cost);
    console.log(`this one takes ${ratio} of it, budget 0.33; its client ${cpu} of the processors`);
  } finally {
    await new Deno.Command("git", {
      args: ["worktree", "remove", "--force", build],
      cwd: REPOSITORY,
    }).output();
  }
}
{
  const project = newProject();
  await coldGrid(WARM, { project });
  const cached = await measure(ROUNDS, () => coldGrid(WARM, { project }));
  show(`grid health, ${WARM} nodes from the cache`, cached, "budget 0.2 s from process start");
}
await warm(WARM);
