import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { grid, programArgs, project } from "../support/cli.ts";
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

interface Background extends AsyncDisposable {
  readonly ended: Promise<Deno.CommandStatus>;
  kill(): Promise<void>;
}

/** Starts a run and resolves once its step has begun. */
async function begin(cwd: string): Promise<Background> {
  const child = new Deno.Command(Deno.execPath(), {
    args: programArgs(["run", "pipeline.yaml", "--quiet"]),
    cwd,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  let over = false;
  const ended = child.status.finally(() => over = true);
  const kill = async () => {
    if (!over) child.kill("SIGKILL");
    await ended;
  };
  for (let turn = 0; !diary(cwd).includes("begins"); turn++) {
    if (over || turn > 600) {
      await kill();
      throw new Error("the run did not begin");
    }
    await pause();
  }
  return { ended, kill, [Symbol.asyncDispose]: kill };
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

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50));
}
