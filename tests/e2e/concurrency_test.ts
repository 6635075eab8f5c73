import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { grid, programArgs, project } from "../support/cli.ts";

/** A step that says when it begins and ends, and waits for the file `go` in between. */
function pipeline(onConflict: string): string {
  return `name: train
inputs: { who: { type: string, required: true } }
concurrency: { group: train, max: 1, on-conflict: ${onConflict} }
steps:
  - id: work
    node: local
    env: { WHO: "\${{ inputs.who }}" }
    timeout: { kill-grace: 1s }
    run: |
      echo "$WHO begins" >> diary
      until test -e go; do sleep 0.05; done
      echo "$WHO ends" >> diary
`;
}

interface Background extends AsyncDisposable {
  readonly ended: Promise<Deno.CommandStatus>;
  kill(): Promise<void>;
}

/** Starts a run and resolves once its step has begun. */
async function begin(cwd: string, who: string): Promise<Background> {
  const child = new Deno.Command(Deno.execPath(), {
    args: programArgs(["run", "pipeline.yaml", "-i", `who=${who}`, "--quiet"]),
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
  for (let turn = 0; !diary(cwd).includes(`${who} begins`); turn++) {
    if (over || turn > 600) {
      await kill();
      throw new Error(`the run of ${who} did not begin: ${diary(cwd)}`);
    }
    await pause();
  }
  return { ended, kill, [Symbol.asyncDispose]: kill };
}

Deno.test("on-conflict queue: the second run waits until the first has ended", async () => {
  using home = project({ "pipeline.yaml": pipeline("queue") });
  await using first = await begin(home.path, "ann");
  const second = grid(["run", "pipeline.yaml", "-i", "who=bob"], { cwd: home.path });
  await pause(1500);
  assert.deepEqual(diary(home.path), ["ann begins"]);
  go(home.path);
  const { code, stderr } = await second;
  assert.equal(code, 0, stderr);
  assert.match(stderr, /waits in concurrency group "train" for /);
  assert.equal((await first.ended).code, 0);
  assert.deepEqual(diary(home.path), ["ann begins", "ann ends", "bob begins", "bob ends"]);
});

Deno.test("on-conflict queue: a runner killed with -9 leaves no lock behind", async () => {
  using home = project({ "pipeline.yaml": pipeline("queue") });
  await using first = await begin(home.path, "ann");
  const second = grid(["run", "pipeline.yaml", "-i", "who=bob"], { cwd: home.path });
  await pause(1000);
  await first.kill();
  for (let turn = 0; !diary(home.path).includes("bob begins") && turn < 600; turn++) await pause();
  go(home.path);
  const { code, stderr } = await second;
  assert.equal(code, 0, stderr);
});

Deno.test("on-conflict skip: the second run does nothing, says why, and exits 0", async () => {
  using home = project({ "pipeline.yaml": pipeline("skip") });
  await using first = await begin(home.path, "ann");
  const { code, stderr } = await grid(["run", "pipeline.yaml", "-i", "who=bob"], {
    cwd: home.path,
  });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /concurrency group "train" is taken by run /);
  go(home.path);
  assert.equal((await first.ended).code, 0);
  assert.deepEqual(diary(home.path), ["ann begins", "ann ends"]);
});

Deno.test("on-conflict fail: the second run is refused with exit code 5", async () => {
  using home = project({ "pipeline.yaml": pipeline("fail") });
  await using first = await begin(home.path, "ann");
  const { code, stderr } = await grid(["run", "pipeline.yaml", "-i", "who=bob"], {
    cwd: home.path,
  });
  assert.equal(code, 5, stderr);
  assert.match(stderr, /concurrency group "train" is taken by run .*\n.*grid cancel /);
  go(home.path);
  assert.equal((await first.ended).code, 0);
});

Deno.test("on-conflict cancel-oldest: the first run is cancelled, the second takes its place", async () => {
  using home = project({ "pipeline.yaml": pipeline("cancel-oldest") });
  await using first = await begin(home.path, "ann");
  const second = grid(["run", "pipeline.yaml", "-i", "who=bob"], { cwd: home.path });
  assert.equal((await first.ended).code, 130);
  for (let turn = 0; !diary(home.path).includes("bob begins") && turn < 600; turn++) await pause();
  go(home.path);
  const { code, stderr } = await second;
  assert.equal(code, 0, stderr);
  assert.deepEqual(diary(home.path), ["ann begins", "bob begins", "bob ends"]);
});

Deno.test("grid cancel ends a run from another terminal", async () => {
  using home = project({ "pipeline.yaml": pipeline("queue") });
  await using first = await begin(home.path, "ann");
  const { code, stderr } = await grid(["cancel", "last"], { cwd: home.path });
  assert.equal(code, 0, stderr);
  assert.equal((await first.ended).code, 130);
  assert.deepEqual(diary(home.path), ["ann begins"]);
});

function diary(cwd: string): string[] {
  const path = join(cwd, "diary");
  return existsSync(path) ? Deno.readTextFileSync(path).split("\n").filter(Boolean) : [];
}

function go(cwd: string): void {
  Deno.writeTextFileSync(join(cwd, "go"), "");
}

function pause(ms = 50): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
