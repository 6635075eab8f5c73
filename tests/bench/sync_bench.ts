/**
 * Grid's sync beside rsync: 10,000 files, about 60 MB, to real OpenSSH nodes on loopback and to a
 * folder of this machine. Whole processes from start to exit, connection included, in turns; medians.
 * Both sides use the curve25519 key exchange, so that the ciphers' age does not decide.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Endpoint } from "../../src/transport/transport.ts";
import { type OpenSshLab, type OpenSshNode, startOpenSsh } from "../support/openssh.ts";
import { localEndpoint } from "../support/sync_rig.ts";
import type { ClientJob } from "./sync_client.ts";

const ROUNDS = 5;
const NODES = 10;
const FILES = 10_000;
// Disks of shared machines are too noisy to compare anything on.
if (existsSync("/dev/shm")) Deno.env.set("TMPDIR", "/dev/shm");
const folder = Deno.makeTempDirSync({ prefix: "grid-bench-" });
const client = fileURLToPath(new URL("./sync_client.ts", import.meta.url));

try {
  await using lab = await startOpenSsh({
    nodes: NODES,
    gpus: 0,
    sshdConfig: ["KexAlgorithms curve25519-sha256", "MaxStartups 100"],
  });
  const source = join(folder, "source");
  const bytes = makeTree(source);
  console.log(
    `${FILES} files, ${(bytes / 1e6).toFixed(0)} MB, load ${Deno.loadavg()[0]?.toFixed(1)}`,
  );
  await benchOneNode(source, lab);
  await benchLocal(source);
  await benchTenNodes(source, lab);
} finally {
  Deno.removeSync(folder, { recursive: true });
}

async function benchOneNode(source: string, lab: OpenSshLab): Promise<void> {
  const [node] = lab.nodes;
  if (node === undefined) throw new Error("the lab has no node");
  const grid = gridSync("ssh", source, [{ endpoint: node.endpoint, root: node.root }]);
  const rsync = rsyncOver(source, node, lab);
  await compare("ssh", { source, grid, rsync, budgets: { first: 1.2, none: 1, one: 1 } });
  await grid.clear();
  await rsync.clear();
}

async function benchLocal(source: string): Promise<void> {
  const root = join(folder, "node");
  Deno.mkdirSync(root);
  const grid = gridSync("local", source, [{ endpoint: localEndpoint("here"), root }]);
  const there = join(folder, "rsynced");
  const rsync: Way = {
    run: () => run(["rsync", "-a", "--delete", `${source}/`, there]),
    clear: () => remove(there),
  };
  await compare("local", { source, grid, rsync, budgets: {} });
  await grid.clear();
  await rsync.clear();
}

async function benchTenNodes(source: string, lab: OpenSshLab): Promise<void> {
  const targets = lab.nodes.map(({ endpoint, root }) => ({ endpoint, root }));
  const grid = gridSync("ten", source, targets);
  const rsyncs = lab.nodes.map((node) => rsyncOver(source, node, lab));
  const rsync: Way = {
    async run() {
      for (const one of rsyncs) await one.run();
    },
    async clear() {
      for (const one of rsyncs) await one.clear();
    },
  };
  const third = 1 / 3;
  const budgets = { first: third, none: third, one: third };
  await compare("ten nodes", { source, grid, rsync, budgets, rounds: 2 });
}

interface Way {
  run(): Promise<void>;
  /** Back to nothing on the other side. */
  clear(): void | Promise<void>;
}

interface Comparison {
  readonly source: string;
  readonly grid: Way;
  readonly rsync: Way;
  readonly budgets: { readonly first?: number; readonly none?: number; readonly one?: number };
  readonly rounds?: number;
}

async function compare(name: string, options: Comparison): Promise<void> {
  const { source, grid, rsync, budgets, rounds = ROUNDS } = options;
  const ways = { grid, rsync };
  const first = { grid: [] as number[], rsync: [] as number[] };
  const none = { grid: [] as number[], rsync: [] as number[] };
  const one = { grid: [] as number[], rsync: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    for (const way of ["grid", "rsync"] as const) {
      await ways[way].clear();
      first[way].push(await timed(() => ways[way].run()));
    }
    // Files must be older than the clock's granule before a cache may trust them.
    if (round === 0) await new Promise((resolve) => setTimeout(resolve, 3000));
    for (const way of ["grid", "rsync"] as const) await ways[way].run();
    for (const way of ["grid", "rsync"] as const) {
      none[way].push(await timed(() => ways[way].run()));
    }
    Deno.writeTextFileSync(join(source, "dir1/sub1/leaf1/file1.py"), `round = ${round}\n`);
    for (const way of ["grid", "rsync"] as const) one[way].push(await timed(() => ways[way].run()));
  }
  print(`${name}: first`, first, budgets.first);
  print(`${name}: nothing changed`, none, budgets.none);
  print(`${name}: one changed`, one, budgets.one);
}

function print(name: string, times: { grid: number[]; rsync: number[] }, budget?: number): void {
  const grid = median(times.grid);
  const rsync = median(times.rsync);
  const ratio = grid / rsync;
  const verdict = budget === undefined
    ? ""
    : `  budget ${budget.toFixed(2)}×  ${ratio <= budget ? "held" : "MISSED"}`;
  console.log(
    `${name.padEnd(28)} grid ${grid.toFixed(0).padStart(6)} ms   rsync ${
      rsync.toFixed(0).padStart(6)
    } ms   ${ratio.toFixed(2)}×${verdict}`,
  );
}

function gridSync(
  name: string,
  source: string,
  targets: readonly { readonly endpoint: Endpoint; readonly root: string }[],
): Way {
  const cacheFolder = join(folder, `cache-${name}`);
  const file = join(folder, `job-${name}.json`);
  const job: ClientJob = { source, cacheFolder, targets };
  Deno.writeTextFileSync(file, JSON.stringify(job));
  return {
    run: () => run([Deno.execPath(), "run", "-A", "--cached-only", client, file]),
    clear() {
      remove(cacheFolder);
      for (const { root } of targets) remove(join(root, "app"), join(root, ".grid"));
    },
  };
}

function rsyncOver(source: string, node: OpenSshNode, lab: OpenSshLab): Way {
  const ssh = [
    `ssh -p ${node.port} -i ${lab.keyFile} -o UserKnownHostsFile=${lab.knownHosts}`,
    "-o KexAlgorithms=curve25519-sha256 -o BatchMode=yes -o IdentitiesOnly=yes -F /dev/null",
  ].join(" ");
  const there = join(node.root, "rsynced");
  return {
    run() {
      Deno.mkdirSync(node.root, { recursive: true });
      const target = `${node.endpoint.user}@${node.host}:${there}`;
      return run(["rsync", "-a", "--delete", "-e", ssh, `${source}/`, target]);
    },
    clear: () => remove(there),
  };
}

async function run([program = "", ...args]: readonly string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args: [...args] }).output();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
}

function remove(...paths: readonly string[]): void {
  for (const path of paths) if (existsSync(path)) Deno.removeSync(path, { recursive: true });
}

async function timed(work: () => Promise<void>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

function median(times: readonly number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
}

/** Sizes as in a project of code: most files small. Returns the bytes written. */
function makeTree(root: string): number {
  const sizes = [500, 2000, 6000, 16_000];
  let written = 0;
  for (let file = 0; file < FILES; file++) {
    const leaf = Math.floor(file / 10);
    const path = join(
      root,
      `dir${leaf % 10}`,
      `sub${Math.floor(leaf / 10) % 10}`,
      `leaf${Math.floor(leaf / 100)}`,
    );
    Deno.mkdirSync(path, { recursive: true });
    const bytes = crypto.getRandomValues(new Uint8Array(sizes[file % sizes.length] ?? 0));
    Deno.writeFileSync(join(path, `file${file % 10}.py`), bytes);
    written += bytes.length;
  }
  return written;
}
