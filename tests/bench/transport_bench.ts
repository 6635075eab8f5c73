/**
 * The SSH transport beside OpenSSH's own client, on one loopback daemon, with the same key exchange
 * on both sides: `deno run -A tests/bench/transport_bench.ts`. Ratios below 1 mean that Grid is faster.
 */
import { join } from "node:path";
import { startJob } from "../../src/transport/job/job_start.ts";
import { createPool } from "../../src/transport/pool.ts";
import type { Endpoint, Transport } from "../../src/transport/transport.ts";
import { startFaultProxy } from "../support/fault_proxy.ts";
import { startOpenSsh } from "../support/openssh.ts";

/** ssh2 has no post-quantum key exchange, so ssh is held to the same one. */
const SAME_KEX = ["KexAlgorithms curve25519-sha256"];
const ROUNDS = 30;
const BULK_BYTES = 500_000_000;

interface Row {
  readonly what: string;
  readonly grid: number;
  readonly rival: number;
  readonly rivalName: string;
  /** Grid's share of the rival that must not be exceeded. */
  readonly limit: number;
}

async function main(): Promise<void> {
  await using lab = await startOpenSsh({ nodes: 1, sshdConfig: SAME_KEX });
  const [node] = lab.nodes;
  if (!node) throw new Error("the lab has no node");
  const knownHosts = join(lab.folder, "known_hosts_bench");
  await using proxy = await startFaultProxy(node);
  const line = Deno.readTextFileSync(lab.knownHosts).split(" ").slice(1).join(" ");
  Deno.writeTextFileSync(
    knownHosts,
    `[${node.host}]:${node.port} ${line}[${proxy.host}]:${proxy.port} ${line}`,
  );
  const near = { ...node.endpoint, knownHosts };
  const far = { ...near, host: proxy.host, port: proxy.port };
  // First, while the process is young: the small objects of thousands of commands slow it down later.
  const megabytes = Math.max(await bulk(near), await bulk(near));
  const rows = [
    ...await compare(near, { folder: lab.folder, root: node.root, label: "loopback" }),
    await compareFar(far, {
      folder: lab.folder,
      setDelay: (ms) => proxy.set({ kind: "delay", ms }),
    }),
  ];
  print(rows);
  console.log(`bulk, one channel, down: ${Math.round(megabytes)} MB/s`);
}

async function compare(
  endpoint: Endpoint,
  { folder, root, label }: { folder: string; root: string; label: string },
): Promise<Row[]> {
  const ssh = sshArgs(endpoint, folder);
  const cold = await median(10, async () => {
    await using pool = createPool({ handshakes: 1 });
    await pool.transport(endpoint).exec("true");
  });
  const coldSsh = await median(10, () => run([...ssh.plain, "true"]));
  await using pool = createPool({ handshakes: 1 });
  const transport = pool.transport(endpoint);
  const warm = await median(ROUNDS, () => transport.exec("true"));
  await using mux = await startMaster(ssh);
  const warmSsh = await median(ROUNDS, () => run([...mux.args, "true"]));
  const step = await median(ROUNDS, () => supervised(transport, root));
  return [
    {
      what: `${label}: cold connect and true`,
      grid: cold,
      rival: coldSsh,
      rivalName: "ssh",
      limit: 0.5,
    },
    {
      what: `${label}: warm true`,
      grid: warm,
      rival: warmSsh,
      rivalName: "ControlMaster",
      limit: 0.5,
    },
    {
      what: `${label}: supervised step`,
      grid: step,
      rival: warmSsh,
      rivalName: "ControlMaster",
      limit: 1,
    },
  ];
}

async function compareFar(
  endpoint: Endpoint,
  { folder, setDelay }: { folder: string; setDelay: (ms: number) => void },
): Promise<Row> {
  await using pool = createPool({ handshakes: 1 });
  const transport = pool.transport(endpoint);
  await transport.exec("true");
  await using mux = await startMaster(sshArgs(endpoint, folder));
  setDelay(10);
  const grid = await median(10, () => transport.exec("true"));
  const rival = await median(10, () => run([...mux.args, "true"]));
  setDelay(0);
  return { what: "20 ms round trip: warm true", grid, rival, rivalName: "ControlMaster", limit: 1 };
}

/** MB/s of one stream. */
async function bulk(endpoint: Endpoint): Promise<number> {
  await using pool = createPool({ handshakes: 1 });
  await using channel = await pool.transport(endpoint).open(`head -c ${BULK_BYTES} /dev/zero`);
  const started = performance.now();
  let bytes = 0;
  for await (const chunk of channel.stdout) bytes += chunk.length;
  return bytes / 1e6 / ((performance.now() - started) / 1000);
}

let jobs = 0;

async function supervised(transport: Transport, root: string): Promise<void> {
  const job = await startJob(transport, {
    id: `bench-${jobs++}`,
    root,
    command: "true",
    shell: "sh",
    cwd: "/",
    env: {},
    secrets: {},
    pathPrefix: [],
    detach: false,
    leaseMs: 60_000,
  });
  await job.follow({ onOutput: () => {}, signal: new AbortController().signal });
}

interface SshCommand {
  readonly plain: readonly string[];
  readonly target: string;
  readonly folder: string;
}

function sshArgs(endpoint: Endpoint, folder: string): SshCommand {
  const target = `${endpoint.user}@${endpoint.host}`;
  const options = [
    ...["-F", "none", "-p", String(endpoint.port), "-i", endpoint.keyFile ?? ""],
    ...["-o", `UserKnownHostsFile=${endpoint.knownHosts}`, "-o", "BatchMode=yes"],
    ...["-o", "IdentitiesOnly=yes", "-o", "KexAlgorithms=curve25519-sha256"],
  ];
  return { plain: ["ssh", ...options, target], target, folder };
}

async function startMaster(
  ssh: SshCommand,
): Promise<AsyncDisposable & { args: readonly string[] }> {
  const socket = join(ssh.folder, `mux-${crypto.randomUUID().slice(0, 8)}`);
  const [program = "ssh", ...rest] = ssh.plain;
  const args = [program, "-o", `ControlPath=${socket}`, ...rest];
  await run([program, "-o", `ControlPath=${socket}`, "-o", "ControlMaster=yes", "-fN", ...rest]);
  return {
    args,
    [Symbol.asyncDispose]: () => run([...args.slice(0, -1), "-O", "exit", ssh.target]),
  };
}

async function run([program = "", ...args]: readonly string[]): Promise<void> {
  const { success, code } = await new Deno.Command(program, {
    args,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).output();
  if (!success) throw new Error(`${program} ${args.join(" ")} exited with ${code}`);
}

/** Milliseconds. */
async function median(rounds: number, work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const started = performance.now();
    await work();
    times.push(performance.now() - started);
  }
  return times.sort((a, b) => a - b)[Math.floor(rounds / 2)] ?? Number.NaN;
}

function print(rows: readonly Row[]): void {
  console.log("case                               Grid ms   rival ms   ratio   limit  rival");
  for (const { what, grid, rival, rivalName, limit } of rows) {
    const ratio = grid / rival;
    console.log(
      what.padEnd(33),
      grid.toFixed(2).padStart(8),
      rival.toFixed(2).padStart(10),
      ratio.toFixed(2).padStart(7),
      limit.toFixed(2).padStart(7),
      ` ${rivalName}${ratio > limit ? "  OVER" : ""}`,
    );
  }
}

if (import.meta.main) await main();
