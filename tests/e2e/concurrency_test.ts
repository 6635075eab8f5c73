/** Runs of one group, in processes of their own: the first is at work, or was killed with -9. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { grid, project, type RunningGrid, startGrid, until } from "../support/cli.ts";

type Policy = "fail" | "skip" | "queue" | "cancel-oldest";

function pipeline(onConflict: Policy): string {
  return `name: grouped
concurrency: { group: one, max: 1, on-conflict: ${onConflict} }
steps:
  - id: work
    node: local
    run: |
      echo started >> starts
      while [ ! -f release ]; do sleep 0.05; done
`;
}

/** Starts a run that holds the group's place until the file `release` is there. */
async function startHolder(cwd: string): Promise<RunningGrid> {
  const holder = startGrid(["run", "p.yaml"], { cwd });
  await until(() => starts(cwd) === 1, { what: "the first run" });
  return holder;
}

function starts(folder: string): number {
  const path = join(folder, "starts");
  return existsSync(path) ? Deno.readTextFileSync(path).split("started").length - 1 : 0;
}

const release = (folder: string) => Deno.writeTextFileSync(join(folder, "release"), "");

/** Until so many runs have said that they wait. */
async function untilWaiting(folder: string, count: number): Promise<void> {
  const runs = join(folder, ".grid", "runs");
  const waits = (run: string) => {
    const events = join(runs, run, "events.jsonl");
    return existsSync(events) && Deno.readTextFileSync(events).includes("waits in concurrency");
  };
  const waiting = () => [...Deno.readDirSync(runs)].filter(({ name }) => waits(name)).length;
  await until(() => waiting() === count, { what: "the run's turn to wait" });
}

Deno.test("concurrency fail: the second run ends at once with exit code 5", async () => {
  using folder = project({ "p.yaml": pipeline("fail") });
  await using holder = await startHolder(folder.path);
  const { code, stderr } = await grid(["run", "p.yaml"], { cwd: folder.path });
  assert.equal(code, 5, stderr);
  assert.match(stderr, /"?one"?/);
  release(folder.path);
  assert.equal((await holder.ended).code, 0);
  assert.equal(starts(folder.path), 1);
});

Deno.test("concurrency skip: the second run does nothing and says so", async () => {
  using folder = project({ "p.yaml": pipeline("skip") });
  await using holder = await startHolder(folder.path);
  const { code, stderr } = await grid(["run", "p.yaml"], { cwd: folder.path });
  assert.equal(code, 0, stderr);
  assert.match(
    stderr,
    /– grouped skipped: concurrency group "one" is taken by run \S+ \(1 skipped\)/,
  );
  assert.doesNotMatch(stderr, /succeeded/);
  const [skipped] = JSON.parse((await grid(["runs", "--json"], { cwd: folder.path })).stdout).runs;
  assert.deepEqual([skipped.result, skipped.exitCode], ["skipped", 0]);
  release(folder.path);
  assert.equal((await holder.ended).code, 0);
  assert.equal(starts(folder.path), 1);
});

Deno.test("concurrency queue: the second run waits for the end of the first", async () => {
  using folder = project({ "p.yaml": pipeline("queue") });
  await using holder = await startHolder(folder.path);
  await using second = startGrid(["run", "p.yaml"], { cwd: folder.path });
  await untilWaiting(folder.path, 1);
  assert.equal(starts(folder.path), 1, "the second run did not wait");
  const why = await grid(["why", "last", "work"], { cwd: folder.path });
  assert.match(why.stdout, /its run waits in concurrency group "one" for run \S+/);
  release(folder.path);
  assert.equal((await holder.ended).code, 0);
  const { code, stderr } = await second.ended;
  assert.equal(code, 0, stderr);
  assert.equal(stderr.split('waits in concurrency group "one"').length - 1, 1, "told once");
  assert.equal(starts(folder.path), 2);
});

Deno.test("concurrency queue: a run that waits goes on when the first is killed", async () => {
  using folder = project({ "p.yaml": pipeline("queue") });
  await using holder = await startHolder(folder.path);
  await using second = startGrid(["run", "p.yaml"], { cwd: folder.path });
  await untilWaiting(folder.path, 1);
  assert.equal(starts(folder.path), 1, "the second run did not wait");
  await holder.kill();
  release(folder.path);
  const { code, stderr } = await second.ended;
  assert.equal(code, 0, stderr);
  assert.equal(starts(folder.path), 2);
});

Deno.test("concurrency cancel-oldest: the first run is ended, the second takes its place", async () => {
  using folder = project({ "p.yaml": pipeline("cancel-oldest") });
  await using holder = await startHolder(folder.path);
  await using second = startGrid(["run", "p.yaml"], { cwd: folder.path });
  const first = await holder.ended;
  assert.equal(first.code, 130, first.stderr);
  assert.match(first.stderr, /took its place in group "one"/);
  release(folder.path);
  const { code, stderr } = await second.ended;
  assert.equal(code, 0, stderr);
  assert.equal(starts(folder.path), 2);
});

for (const policy of ["fail", "skip", "queue", "cancel-oldest"] as const) {
  Deno.test(`concurrency ${policy}: a runner that was killed holds no place`, async () => {
    using folder = project({ "p.yaml": pipeline(policy) });
    await using holder = await startHolder(folder.path);
    await holder.kill();
    await using second = startGrid(["run", "p.yaml"], { cwd: folder.path });
    await until(() => starts(folder.path) === 2 || second.isOver(), { what: "the second run" });
    release(folder.path);
    const { code, stderr } = await second.ended;
    assert.equal(code, 0, stderr);
    assert.doesNotMatch(stderr, /skipped|waits in concurrency group/);
    assert.equal(starts(folder.path), 2);
  });
}

Deno.test("concurrency queue: one of three is killed while it waits, the others go on", async () => {
  using folder = project({ "p.yaml": pipeline("queue") });
  await using holder = await startHolder(folder.path);
  await using second = startGrid(["run", "p.yaml"], { cwd: folder.path });
  await untilWaiting(folder.path, 1);
  await using third = startGrid(["run", "p.yaml"], { cwd: folder.path });
  await untilWaiting(folder.path, 2);
  await second.kill();
  release(folder.path);
  assert.equal((await holder.ended).code, 0);
  const { code, stderr } = await third.ended;
  assert.equal(code, 0, stderr);
  assert.equal(starts(folder.path), 2);
});
