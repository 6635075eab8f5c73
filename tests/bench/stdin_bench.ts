/**
 * Bytes through the standard input of `grid run "cat >/dev/null"` beside `ssh` with ControlMaster, on one
 * loopback daemon, in turn: `GRID_BENCH_MB=1000 deno run -A tests/bench/stdin_bench.ts`. Promises: at
 * least 0.8 × of ssh, ≤ 200 MB in memory.
 */
import { join } from "node:path";
import { quote, quoteAll } from "../../src/core/shell.ts";
import { programArgs } from "../support/cli.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { ProcessorTime } from "./processor_time.ts";

const MEGABYTES = Number(Deno.env.get("GRID_BENCH_MB") ?? 1000);
const ROUNDS = 3;

using processors = new ProcessorTime();

await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
const [node] = lab.nodes;
if (!node) throw new Error("the lab has no node");
const { endpoint } = node;
const file = join(lab.folder, "input");
await shell(`head -c ${MEGABYTES * 1_000_000} /dev/urandom >${quote(file)}`);
const project = join(lab.folder, "project");
Deno.mkdirSync(join(project, "config"), { recursive: true });
for (const transport of ["ssh", "openssh"]) {
  Deno.writeTextFileSync(
    join(project, `config/${transport}.yaml`),
    [
      "nodes:",
      `  - { name: n1, host: ${endpoint.host}, port: ${endpoint.port}, user: ${endpoint.user}, ` +
      `key_file: ${endpoint.keyFile}, known_hosts: ${endpoint.knownHosts}, transport: ${transport}, ` +
      `remote_root: ${node.root} }`,
      "",
    ].join("\n"),
  );
}
const ssh = [
  ...["ssh", "-p", `${endpoint.port}`, "-i", endpoint.keyFile ?? "", "-l", endpoint.user ?? ""],
  ...["-o", `UserKnownHostsFile=${endpoint.knownHosts}`, "-o", "BatchMode=yes"],
  ...["-o", `ControlPath=${lab.folder}/s`, endpoint.host ?? ""],
];
await shell(
  `${quoteAll(["ssh", "-o", "ControlMaster=yes", "-o", "ControlPersist=600", ...ssh.slice(1)])} :`,
);
interface Took {
  readonly ms: number;
  /** Of all processors together, the node's work included. */
  readonly seconds: number;
}
const times: Record<string, Took[]> = {
  "ssh, ControlMaster": [],
  "grid, ssh": [],
  "grid, openssh": [],
};
let peak = 0;
for (let round = 0; round < ROUNDS; round++) {
  times["ssh, ControlMaster"]?.push(await timed(`${quoteAll(ssh)} 'cat >/dev/null'`));
  for (const transport of ["ssh", "openssh"]) {
    const args = ["run", "--quiet", "--config", `config/${transport}.yaml`, "--node", "n1"];
    const grid = quoteAll([Deno.execPath(), ...programArgs([...args, "cat >/dev/null"])]);
    const report = join(lab.folder, "memory");
    times[`grid, ${transport}`]?.push(
      await timed(`cd ${quote(project)} && /usr/bin/time -f %M -o ${quote(report)} ${grid}`),
    );
    peak = Math.max(peak, Number(Deno.readTextFileSync(report)) / 1024);
  }
}
await shell(`${quoteAll(["ssh", "-O", "exit", ...ssh.slice(1)])} 2>/dev/null`);
const base = median((times["ssh, ControlMaster"] ?? []).map((took) => took.ms));
const [load = 0] = Deno.loadavg();
console.log(`${MEGABYTES} MB, medians of ${ROUNDS}, whole program, load ${load.toFixed(1)}`);
for (const [name, all] of Object.entries(times)) {
  const ms = median(all.map((took) => took.ms));
  const seconds = median(all.map((took) => took.seconds));
  console.log(
    `${name.padEnd(20)} ${(ms / 1000).toFixed(2)} s  ${(base / ms).toFixed(2)} × of ssh  ` +
      `processors ${seconds.toFixed(2)} s`,
  );
}
console.log(`peak of Grid: ${Math.round(peak)} MB`);

async function timed(command: string): Promise<Took> {
  const start = performance.now();
  const before = processors.seconds;
  await shell(`{ ${command}; } <${quote(file)}`);
  return { ms: performance.now() - start, seconds: processors.seconds - before };
}

async function shell(command: string): Promise<void> {
  const { success } = await new Deno.Command("sh", { args: ["-c", command] }).spawn().status;
  if (!success) throw new Error(`failed: ${command}`);
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}
