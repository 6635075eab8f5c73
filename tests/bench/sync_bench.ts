/**
 * Grid's sync beside rsync: 10,000 files, about 60 MB, to real OpenSSH nodes on loopback and to a
 * folder of this machine, in turns; medians. rsync is timed from start to exit. Grid is timed twice:
 * as a step, which is what a run pays (the program is up and connected), and as a whole program that
 * starts, connects, syncs and ends. Both sides use the curve25519 key exchange, so that the age of the
 * ciphers does not decide.
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
const WORDS = { first: "first", none: "nothing changed", one: "one changed" } as const;
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
  const targets = [{ endpoint: node.endpoint, root: node.root }];
  const rsync = rsyncOver(source, node, lab);
  await compare("ssh", { source, targets, rsync, budgets: { first: 1.2, none: 1, one: 1 } });
}

async function benchLocal(source: string): Promise<void> {
  const root = join(folder, "node");
  Deno.mkdirSync(root);
  const targets = [{ endpoint: localEndpoint("here"), root }];
  const there = join(folder, "rsynced");
  const rsync: Way = {
    run: () => run(["rsync", "-a", "--delete", `${source}/`, there]),
    clear: () => remove(there),
  };
  await compare("local", { source, targets, rsync, budgets: {} });
}

async function benchTenNodes(source: string, lab: OpenSshLab): Promise<void> {
  const targets = lab.nodes.map(({ endpoint, root }) => ({ endpoint, root }));
  const rsyncs = lab.nodes.map((node) => rsyncOver(source, node, lab));
  const rsync: Way = {
    async run() {
      let total = 0;
      for (const one of rsyncs) total += await one.run();
      return total;
    },
    clear() {
      for (const one of rsyncs) one.clear();
    },
  };
  const third = 1 / 3;
  const budgets = { first: third, none: third, one: third };
  await compare("ten nodes", { source, targets, rsync, budgets, rounds: 2 });
}

interface Way {
  /** Milliseconds it took. */
  run(): Promise<number>;
  /** Back to nothing on the other side. */
  clear(): void;
}

type Targets = readonly { readonly endpoint: Endpoint; readonly root: string }[];
type Moment = "first" | "none" | "one";

interface Comparison {
  readonly source: string;
  readonly targets: Targets;
  readonly rsync: Way;
  readonly budgets: { readonly [M in Moment]?: number };
  readonly rounds?: number;
}

async function compare(name: string, options: Comparison): Promise<void> {
  const { source, targets, rsync, rounds = ROUNDS } = options;
  const ways = {
    rsync,
    step: gridSync(name, { source, targets, isConnected: true }),
    program: gridSync(name, { source, targets, isConnected: false }),
  };
  const times: Record<Moment, Record<keyof typeof ways, number[]>> = {
    first: { rsync: [], step: [], program: [] },
    none: { rsync: [], step: [], program: [] },
    one: { rsync: [], step: [], program: [] },
  };
  const names = ["rsync", "step", "program"] as const;
  for (let round = 0; round < rounds; round++) {
    for (const way of names) {
      ways[way].clear();
      times.first[way].push(await ways[way].run());
    }
    // Files must be older than the clock's granule before a cache may trust them.
    if (round === 0) await new Promise((resolve) => setTimeout(resolve, 3000));
    await ways.step.run();
    for (const way of names) times.none[way].push(await ways[way].run());
    for (const way of names) {
      Deno.writeTextFileSync(join(source, "dir1/sub1/leaf1/file1.py"), `x = "${way} ${round}"\n`);
      times.one[way].push(await ways[way].run());
    }
  }
  for (const moment of ["first", "none", "one"] as const) {
    print(`${name}: ${WORDS[moment]}`, times[moment], options.budgets[moment]);
  }
  for (const way of names) ways[way].clear();
}

function print(
  name: string,
  times: { rsync: number[]; step: number[]; program: number[] },
  budget?: number,
): void {
  const rsync = median(times.rsync);
  const show = (ms: number) => `${ms.toFixed(0).padStart(6)} ms ${(ms / rsync).toFixed(2)}×`;
  const step = median(times.step);
  const verdict = step / rsync <= (budget ?? Infinity) ? "held" : "MISSED";
  console.log(
    `${name.padEnd(26)} rsync ${rsync.toFixed(0).padStart(6)} ms   step ${show(step)}   ` +
      `program ${show(median(times.program))}` +
      (budget === undefined ? "" : `   budget ${budget.toFixed(2)}× ${verdict}`),
  );
}

interface GridSync {
  readonly source: string;
  readonly targets: Targets;
  readonly isConnected: boolean;
}

function gridSync(name: string, options: GridSync): Way {
  const cacheFolder = join(folder, `cache-${name}`);
  const file = join(folder, `job-${name}-${options.isConnected}.json`);
  const job: ClientJob = { ...options, cacheFolder };
  Deno.writeTextFileSync(file, JSON.stringify(job));
  const words = [Deno.execPath(), "run", "-A", "--cached-only", client, file];
  return {
    run: () => options.isConnected ? runAndRead(words) : run(words),
    clear() {
      remove(cacheFolder);
      for (const { root } of options.targets) remove(join(root, "app"), join(root, ".grid"));
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

async function run(words: readonly string[]): Promise<number> {
  const start = performance.now();
  await output(words);
  return performance.now() - start;
}

/** The program says itself how long it took. */
async function runAndRead(words: readonly string[]): Promise<number> {
  return Number(await output(words));
}

async function output([program = "", ...args]: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args: [...args] }).output();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout);
}

function remove(...paths: readonly string[]): void {
  for (const path of paths) if (existsSync(path)) Deno.removeSync(path, { recursive: true });
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
