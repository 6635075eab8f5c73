/**
 * GPUs and nodes shared by several projects, each a process of its own that knows of the others only what
 * the nodes tell. `GRID_TEST_ROUNDS=20` plays it in the sizes of a busy lab.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { systemClock } from "../../src/core/clock.ts";
import { grid, project, startGrid } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { testWith } from "../support/requires.ts";

const ROUNDS = Number(Deno.env.get("GRID_TEST_ROUNDS") ?? "4");
const IS_WHOLE = ROUNDS >= 20;

testWith(["sshd"], "runs of many projects spread over the nodes, by what these tell", async () => {
  const [runs, nodes] = IS_WHOLE ? [20, 4] : [4, 2];
  await using lab = await startOpenSsh({ nodes, gpus: 0 });
  const config = labConfig({ lab, rayMode: "embedded" });
  const go = join(lab.folder, "go");
  const ran = Array.from({ length: runs }, async (_, at) => {
    // Within ten seconds.
    await systemClock.sleep(500 * at);
    using folder = project({ "lab.yaml": config });
    const command =
      `echo $GRID_NODE >>${lab.folder}/where; while [ ! -e ${go} ]; do sleep 0.2; done`;
    const args = ["run", command, "--config", "lab.yaml"];
    return await grid(args, { cwd: folder.path, timeoutMs: 300_000 });
  });
  const where = () =>
    Deno.readTextFileSync(join(lab.folder, "where")).trim().split("\n").filter((name) => name);
  const deadline = performance.now() + 240_000;
  for (;;) {
    const started = await Deno.stat(join(lab.folder, "where")).then(() => where().length, () => 0);
    if (started === runs || performance.now() > deadline) break;
    await systemClock.sleep(100);
  }
  Deno.writeTextFileSync(go, "");
  for (const { code, stderr } of await Promise.all(ran)) assert.equal(code, 0, stderr);
  const counts = [...Map.groupBy(where(), (name) => name).values()].map(({ length }) => length);
  const share = runs / nodes;
  assert.equal(counts.length, nodes, counts.join());
  for (const count of counts) assert.ok(Math.abs(count - share) <= 1, counts.join());
  if (IS_WHOLE) console.log(`${runs} runs: ${counts.join(", ")}`);
});

testWith(["sshd"], "a wish for two GPUs is not overtaken by those that came later", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 2 });
  const config = labConfig({ lab, rayMode: "embedded" });
  using folder = project({ "lab.yaml": config });
  using other = project({ "lab.yaml": config });
  const log = join(lab.folder, "log");
  const command = (name: string, more = "") => `echo ${name} >>${log}; ${more}`;
  const go = join(lab.folder, "go");
  const begin = (name: string, cwd: string, gpus: number, more = "") =>
    startGrid(
      ["run", command(name, more), "--gpus", String(gpus), "--wait", "--config", "lab.yaml"],
      { cwd },
    );
  const first = begin("first", folder.path, 1, `while [ ! -e ${go} ]; do sleep 0.1; done`);
  await logged(log, ["first"]);
  const large = begin("large", other.path, 2, "sleep 0.3");
  await inLine(folder.path, [2]);
  const small = begin("small", folder.path, 1);
  await inLine(other.path, [2, 1]);
  const { stdout } = await grid(["queue", "--config", "lab.yaml"], { cwd: folder.path });
  assert.match(stdout, /holds .*\n.*#1 +wants 2 .*\n.*#2 +wants 1 /);
  const why = await grid(["why", "last", "command", "--config", "lab.yaml"], { cwd: other.path });
  const whyNode = await grid(["why", "last", "node", "--config", "lab.yaml"], { cwd: other.path });
  assert.match(why.stdout + whyNode.stdout, /first in line for 2 GPUs on /);
  assert.match(whyNode.stdout, /held by a job of \w+ \(run .*, step command/);
  Deno.writeTextFileSync(go, "");
  for (const run of [first, large, small]) {
    await using ended = run;
    const { code, stderr } = await ended.ended;
    assert.equal(code, 0, stderr);
  }
  assert.deepEqual(lines(log), ["first", "large", "small"]);
  await inLine(folder.path, []);
});

testWith(["sshd"], "many small cells of another project do not hold up a large job", async () => {
  const cells = IS_WHOLE ? 24 : 12;
  await using lab = await startOpenSsh({ nodes: 1, gpus: 4 });
  const config = labConfig({ lab, rayMode: "embedded" });
  const log = join(lab.folder, "log");
  using many = project({
    "lab.yaml": config,
    "cells.yaml": `name: cells
steps:
  - id: cell
    matrix: { i: [${Array.from({ length: cells }, (_, i) => i).join(", ")}] }
    node: { gpus: 1, wait: 10m }
    run: echo cell >>${log}; sleep 1.5
`,
  });
  using one = project({ "lab.yaml": config });
  const small = startGrid(["run", "cells.yaml", "--config", "lab.yaml"], { cwd: many.path });
  await logged(log, ["cell", "cell", "cell", "cell"]);
  const large = startGrid(
    ["run", `echo large >>${log}`, "--gpus", "4", "--wait", "--config", "lab.yaml"],
    { cwd: one.path },
  );
  const asked = await inLineAt(one.path, log, 4);
  for (const run of [large, small]) {
    await using ended = run;
    const { code, stderr } = await ended.ended;
    assert.equal(code, 0, stderr);
  }
  const place = lines(log).indexOf("large");
  if (IS_WHOLE) console.log(`${cells} cells: it came as number ${place}, asked after ${asked}`);
  // Those that had GPUs, or were just getting them, when it came into the line.
  assert.ok(place <= asked + 4, `${place}, in line after ${asked}`);
});

function lines(log: string): string[] {
  try {
    return Deno.readTextFileSync(log).trim().split("\n").filter((line) => line);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

async function logged(log: string, wanted: readonly string[]): Promise<void> {
  const deadline = performance.now() + 60_000;
  while (lines(log).length < wanted.length) {
    assert.ok(performance.now() < deadline, `only ${lines(log).join()}`);
    await systemClock.sleep(50);
  }
}

async function queue(cwd: string): Promise<readonly { place: number | string; gpus: number }[]> {
  const { stdout } = await grid(["queue", "--json", "--config", "lab.yaml"], { cwd });
  return JSON.parse(stdout).queue;
}

/** Waits until the line wants these numbers of GPUs, the first one first. */
async function inLine(cwd: string, wanted: readonly number[]): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const line = (await queue(cwd)).filter(({ place }) => typeof place === "number");
    if (JSON.stringify(line.map(({ gpus }) => gpus)) === JSON.stringify(wanted)) return;
    assert.ok(performance.now() < deadline, JSON.stringify(line));
  }
}

/** How many had begun when a wish for so many GPUs stood in line. */
async function inLineAt(cwd: string, log: string, gpus: number): Promise<number> {
  const deadline = performance.now() + 60_000;
  for (;;) {
    const line = await queue(cwd);
    if (line.some((entry) => typeof entry.place === "number" && entry.gpus === gpus)) {
      return lines(log).length;
    }
    if (lines(log).includes("large")) return lines(log).indexOf("large");
    assert.ok(performance.now() < deadline, JSON.stringify(line));
  }
}
