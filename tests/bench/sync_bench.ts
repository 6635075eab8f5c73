/**
 * Grid's sync beside rsync: 10,000 files, about 60 MB, to real OpenSSH nodes on loopback and to a
 * folder of this machine, in turns; medians. rsync is timed from start to exit, over a ControlMaster that
 * is up, ten of them at once to ten nodes. Grid is timed twice: as a step, which is what a run pays (the
 * program is up and connected), and as a whole program that starts, connects, syncs and ends. Both sides
 * use the curve25519 key exchange, so that the age of the ciphers does not decide. Words choose rows:
 * `ssh`, `local`, `nodes`, `wire`, `memory`; none: all.
 */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Endpoint } from "../../src/transport/transport.ts";
import { V8_FLAGS } from "../support/cli.ts";
import { type OpenSshLab, type OpenSshNode, startOpenSsh } from "../support/openssh.ts";
import { localEndpoint } from "../support/sync_rig.ts";
import { createPool } from "../../src/transport/pool.ts";
import { syncFolders } from "../../src/sync/folders.ts";
import { measuredTransport } from "../support/measured_transport.ts";
import type { ClientJob } from "./sync_client.ts";

const ROUNDS = 5;
const NODES = 10;
const FILES = 10_000;
const WORDS = { first: "first", none: "nothing changed", one: "one changed" } as const;
/** Of the step that was run last. */
let lastPhases: Phases = [];
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
  await floors(source);
  const rows = {
    ssh: benchOneNode,
    local: benchLocal,
    nodes: benchTenNodes,
    wire: benchWire,
    memory: benchMemory,
  };
  for (const [name, bench] of Object.entries(rows)) {
    if (Deno.args.length === 0 || Deno.args.includes(name)) await bench(source, lab);
  }
} finally {
  Deno.removeSync(folder, { recursive: true });
}

/**
 * What no way of ours can do without: a look at each file, which Deno has one by one, and the SHA-256 of
 * what is new, which rsync has no need of.
 */
async function floors(source: string): Promise<void> {
  const files = (await output(["find", source, "-type", "f"])).trim().split("\n");
  const start = performance.now();
  for (const file of files) Deno.lstatSync(file);
  const looked = performance.now() - start;
  const hashed = performance.now();
  await output(["sh", "-c", 'exec find "$0" -type f -exec sha256sum {} +', source]);
  const summed = performance.now() - hashed;
  console.log(
    `of these alone: a look at each in Deno ${looked.toFixed(0)} ms, sha256sum ${
      summed.toFixed(0)
    } ms`,
  );
}

async function benchOneNode(source: string, lab: OpenSshLab): Promise<void> {
  const [node] = lab.nodes;
  if (node === undefined) throw new Error("the lab has no node");
  const targets = [{ endpoint: node.endpoint, root: node.root }];
  const rsync = rsyncOver(source, node, lab);
  await compare("ssh", { source, targets, rsync, budgets: { first: 0.8, none: 0.4, one: 0.7 } });
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
  await compare("local", { source, targets, rsync, budgets: { first: 1 } });
}

async function benchTenNodes(source: string, lab: OpenSshLab): Promise<void> {
  const targets = lab.nodes.map(({ endpoint, root }) => ({ endpoint, root }));
  const rsyncs = lab.nodes.map((node) => rsyncOver(source, node, lab));
  const rsync: Way = {
    async run() {
      const start = performance.now();
      await Promise.all(rsyncs.map((one) => one.run()));
      return performance.now() - start;
    },
    clear() {
      for (const one of rsyncs) one.clear();
    },
  };
  const budgets = { first: 0.4, one: 0.25 };
  await compare("ten nodes", { source, targets, rsync, budgets, rounds: 2 });
}

/** Bytes that cross the wire, where the node has most of it already. */
async function benchWire(_source: string, lab: OpenSshLab): Promise<void> {
  const [node] = lab.nodes;
  if (node === undefined) throw new Error("the lab has no node");
  const source = join(folder, "large");
  const file = join(source, "data.bin");
  Deno.mkdirSync(source, { recursive: true });
  const bytes = new Uint8Array(100_000_000);
  for (let at = 0; at < bytes.length; at += 50_000) {
    crypto.getRandomValues(bytes.subarray(at, at + 50_000));
  }
  Deno.writeFileSync(file, bytes);
  await using pool = createPool({ handshakes: 1 });
  const transport = measuredTransport(pool.transport(node.endpoint));
  const cacheFolder = join(folder, "cache-wire");
  const sync = async () => {
    transport.sent = 0;
    const [result] = await syncFolders([{ node: node.name, transport, root: node.root }], {
      source,
      as: "large",
      exclude: [],
      excludeFrom: undefined,
      useChecksums: true,
      followSymlinks: false,
      delete: true,
      allowLargeDelete: true,
      maxParallelTransfers: 1,
      cacheFolder,
      signal: AbortSignal.timeout(600_000),
    });
    return result;
  };
  transport.measures = { cutAfter: 50_000_000 };
  await sync();
  transport.measures = {};
  bound("cut at half: sent again", { bytes: await sentBy(sync), most: 5e6 + 50e6 });
  for (let spot = 0; spot < 100; spot++) {
    crypto.getRandomValues(bytes.subarray(spot * 1e6, spot * 1e6 + 10_000));
  }
  Deno.writeFileSync(file, bytes);
  bound("1 % of 100 MB, in 100 places", { bytes: await sentBy(sync), most: 3e6 });
  Deno.renameSync(file, join(source, "renamed.bin"));
  bound("100 MB renamed", { bytes: await sentBy(sync), most: 1e6 });
  Deno.removeSync(join(source, "renamed.bin"));
  const words = Array.from({ length: 20_000 }, () => Math.random().toString(36).slice(2, 10));
  const text = Array.from(
    { length: 5_500_000 },
    () => words[Math.floor(Math.random() ** 2 * 20_000)],
  );
  Deno.writeTextFileSync(join(source, "text.txt"), text.join(" ").slice(0, 50_000_000));
  // Ten megabits in a second.
  transport.measures = { bytesPerMs: 1250 };
  const start = performance.now();
  const sent = await sentBy(sync);
  const gridMs = performance.now() - start;
  const archive = join(folder, "rsync-z");
  const stats = await output(["rsync", "-az", "--stats", `${source}/`, archive]);
  const local = Number(/Total bytes sent: ([\d,.]+)/.exec(stats)?.[1]?.replaceAll(/[,.]/g, ""));
  console.log(
    `50 MB of text at 10 Mbit/s      ${(sent / 1e6).toFixed(1)} MB in ${gridMs.toFixed(0)} ms; ` +
      `rsync -z would send ${(local / 1e6).toFixed(1)} MB, ${
        (local / 1250).toFixed(0)
      } ms at least: ` +
      `${(gridMs / (local / 1250)).toFixed(2)}×   budget 1.50×`,
  );

  async function sentBy(act: typeof sync): Promise<number> {
    const result = await act();
    if (!result?.ok) throw result?.error ?? new Error("no result");
    return transport.sent;
  }
}

function bound(name: string, { bytes, most }: { bytes: number; most: number }): void {
  const size = (count: number) => `${(count / 1e6).toFixed(2)} MB`;
  console.log(
    `${name.padEnd(32)}${size(bytes)}   budget ${size(most)} ${bytes <= most ? "held" : "MISSED"}`,
  );
}

/** The client's peak. */
async function benchMemory(): Promise<void> {
  const root = join(folder, "node");
  Deno.mkdirSync(root, { recursive: true });
  const targets = [{ endpoint: localEndpoint("here"), root }];
  const many = join(folder, "many");
  for (let at = 0; at < 100_000; at++) {
    const place = join(many, `dir${at % 100}`, `sub${Math.floor(at / 100) % 100}`);
    if (at < 10_000) Deno.mkdirSync(place, { recursive: true });
    Deno.writeTextFileSync(join(place, `file${at}.py`), `x = ${at}\n`.repeat(20));
  }
  for (const [name, most] of [["first", 250], ["no-op", 200]] as const) {
    const bytes = await peak("many", { source: many, targets, isConnected: true });
    bound(`100,000 files, ${name}: peak RSS`, { bytes, most: most * 1e6 });
  }
  const large = join(folder, "huge");
  Deno.mkdirSync(large);
  await run(["truncate", "-s", "5000000000", join(large, "model.bin")]);
  const elsewhere = [{ endpoint: localEndpoint("there"), root: join(folder, "elsewhere") }];
  Deno.mkdirSync(join(folder, "elsewhere"));
  const bytes = await peak("huge", { source: large, targets: elsewhere, isConnected: true });
  bound("a file of 5 GB: peak RSS", { bytes, most: 150e6 });
}

async function peak(name: string, options: GridSync): Promise<number> {
  const file = join(folder, `job-${name}.json`);
  Deno.writeTextFileSync(
    file,
    JSON.stringify({ ...options, cacheFolder: join(folder, `cache-${name}`) }),
  );
  const flags = [V8_FLAGS, "-A", "--cached-only"];
  const text = await output([Deno.execPath(), "run", ...flags, client, file]);
  return Number(text.split(" ")[1]) * 1000;
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
  const phases: Record<Moment, Phases[]> = { first: [], none: [], one: [] };
  const note = async (moment: Moment, way: typeof names[number]) => {
    times[moment][way].push(await ways[way].run());
    if (way === "step") phases[moment].push(lastPhases);
  };
  for (let round = 0; round < rounds; round++) {
    for (const way of names) {
      ways[way].clear();
      await note("first", way);
    }
    // Files must be older than the clock's granule before a cache may trust them.
    if (round === 0) await new Promise((resolve) => setTimeout(resolve, 3000));
    await ways.step.run();
    for (const way of names) await note("none", way);
    for (const way of names) {
      Deno.writeTextFileSync(join(source, "dir1/sub1/leaf1/file1.py"), `x = "${way} ${round}"\n`);
      await note("one", way);
    }
  }
  for (const moment of ["first", "none", "one"] as const) {
    print(`${name}: ${WORDS[moment]}`, times[moment], options.budgets[moment]);
    console.log(`  the step after ms: ${middlePhases(phases[moment])}`);
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
  const control = join(lab.folder, `mux-${node.name}`);
  const ssh = [
    `ssh -o ControlMaster=auto -o ControlPersist=600 -S ${control} -p ${node.port} -i ${lab.keyFile} -o UserKnownHostsFile=${lab.knownHosts}`,
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

type Phases = readonly (readonly [string, number])[];
/** The program says itself how long it took, and when it had come how far. */
async function runAndRead(words: readonly string[]): Promise<number> {
  const [ms, , ...phases] = (await output(words)).split(" ");
  lastPhases = JSON.parse(phases.join(" "));
  return Number(ms);
}

function middlePhases(rounds: readonly Phases[]): string {
  return (rounds[0] ?? []).map(([name]) => {
    const all = rounds.map((round) => round.find(([other]) => other === name)?.[1] ?? Number.NaN);
    return `${name} ${median(all).toFixed(0)}`;
  }).join(", ");
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
