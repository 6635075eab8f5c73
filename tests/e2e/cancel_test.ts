import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { quoteAll } from "../../src/core/shell.ts";
import { grid, programArgs, project, type RunningGrid, startGrid, until } from "../support/cli.ts";
import { processesWith } from "../support/processes.ts";

/** A step that says when it begins, and would go on for a minute. */
const PIPELINE = `name: long
steps:
  - id: work
    node: local
    timeout: { kill-grace: 1s }
    run: |
      echo begins >> diary
      sleep 60
      echo ends >> diary
hooks:
  exit: [{ run: echo bye >> diary, node: local }]
`;

const HANG_UPS = [
  { how: "ends the runner", trap: "", code: 129 },
  { how: "does not end one started with nohup", trap: "trap '' HUP;", code: 0 },
];

/** Starts a run and resolves once its step has begun. */
async function begin(cwd: string): Promise<RunningGrid> {
  const run = startGrid(["run", "pipeline.yaml", "--quiet"], { cwd });
  await until(() => diary(cwd).includes("begins") || run.isOver(), { what: "the step" });
  assert.ok(!run.isOver(), "the run did not begin");
  return run;
}

Deno.test("grid cancel ends a run from another terminal; its exit hook still runs", async () => {
  using home = project({ "pipeline.yaml": PIPELINE });
  await using run = await begin(home.path);
  const { code, stderr } = await grid(["cancel", "last"], { cwd: home.path });
  assert.equal(code, 0, stderr);
  assert.equal((await run.ended).code, 130);
  assert.deepEqual(diary(home.path), ["begins", "bye"]);
  const why = await grid(["why", "last", "work"], { cwd: home.path });
  assert.match(why.stdout, /^work was cancelled after /);
});

for (const [signal, code] of [["SIGINT", 130], ["SIGTERM", 143]] as const) {
  Deno.test(`${signal} ends a run with exit code ${code}; its exit hook still runs`, async () => {
    using home = project({ "pipeline.yaml": PIPELINE });
    await using run = await begin(home.path);
    run.signal(signal);
    assert.equal((await run.ended).code, code);
    assert.deepEqual(diary(home.path), ["begins", "bye"]);
    const report = await grid(["report", "--json"], { cwd: home.path });
    assert.equal(JSON.parse(report.stdout).exitCode, code);
  });
}

for (const { how, trap, code } of HANG_UPS) {
  Deno.test(`a hang-up of the terminal ${how}`, async () => {
    using home = project({
      "pipeline.yaml": PIPELINE.replace("sleep 60", "while [ ! -f release ]; do sleep 0.1; done"),
    });
    const words = quoteAll([Deno.execPath(), ...programArgs(["run", "pipeline.yaml"])]);
    const child = new Deno.Command("sh", {
      args: ["-c", `${trap} exec ${words}`],
      cwd: home.path,
      env: { MARK: home.path },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    await until(() => diary(home.path).includes("begins"));
    child.kill("SIGHUP");
    await new Promise((resolve) => setTimeout(resolve, 500));
    Deno.writeTextFileSync(`${home.path}/release`, "");
    assert.equal((await child.status).code, code);
    // Its watchdog looks again after a while, and finds nothing to do.
    const commands = () =>
      processesWith(`MARK=${home.path}`).filter(({ command }) => /bash/.test(command));
    await until(() => commands().length === 0, { what: "the end of the command" });
  });
}

Deno.test("a second signal leaves at once and says what may be left", async () => {
  using home = project({
    "pipeline.yaml": PIPELINE.replace("1s", "20s").replace(
      "echo begins",
      "trap '' TERM; echo begins",
    ),
  });
  await using run = startGrid(["run", "pipeline.yaml"], { cwd: home.path });
  await until(() => diary(home.path).includes("begins"));
  run.signal("SIGINT");
  await new Promise((resolve) => setTimeout(resolve, 500));
  run.signal("SIGINT");
  const { code, stderr } = await run.ended;
  assert.equal(code, 130);
  assert.match(stderr, /SIGINT: stopping; once more to leave at once/);
  assert.match(stderr, /left; what still runs on nodes: grid ps/);
  await killLeftovers(home.path);
});

Deno.test("grid cancel says that a run whose runner was killed does not run any more", async () => {
  using home = project({ "pipeline.yaml": PIPELINE });
  await using run = await begin(home.path);
  await run.kill();
  const { code, stderr } = await grid(["cancel", "last"], { cwd: home.path });
  assert.notEqual(code, 0);
  assert.match(stderr, /grid resume/);
  await killLeftovers(home.path);
});

/** The job of a killed runner goes on until its lease ends; a test does not wait for that. */
async function killLeftovers(cwd: string): Promise<void> {
  const { stdout } = await grid(["runs", "--json"], { cwd });
  const runs: readonly { readonly run: string }[] = JSON.parse(stdout).runs;
  for (const { run } of runs) {
    const left = processesWith(`GRID_RUN_ID=${run}`);
    assert.ok(left.length > 0, "the job outlives its runner");
    for (const { pid } of left) Deno.kill(pid, "SIGKILL");
  }
}

function diary(cwd: string): string[] {
  const path = join(cwd, "diary");
  return existsSync(path) ? Deno.readTextFileSync(path).split("\n").filter(Boolean) : [];
}
