/** What the other commands say of a run whose runner was killed, and of one that is under way. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { grid, project, type RunningGrid, startGrid, until } from "../support/cli.ts";
import type { TempDir } from "../support/temp_dir.ts";

const PIPELINE = `name: long
steps:
  - id: work
    node: here
    run: |
      echo begun
      while [ ! -f "$PROJECT/release" ]; do sleep 0.05; done
  - { id: after, needs: work, node: here, run: "true" }
`;

async function begin(folder: TempDir): Promise<RunningGrid> {
  const run = startGrid(["run", "p.yaml", "--config", "cluster.yaml"], { cwd: folder.path });
  await until(() => hasLog(folder.path) || run.isOver(), { what: "the step" });
  assert.ok(!run.isOver());
  return run;
}

/** What the step printed has come home. */
function hasLog(folder: string): boolean {
  const runs = join(folder, ".grid", "runs");
  return existsSync(runs) &&
    [...Deno.readDirSync(runs)].some(({ name }) => existsSync(join(runs, name, "logs/work.1.log")));
}

function longProject(): TempDir {
  const folder = project({});
  Deno.writeTextFileSync(
    join(folder.path, "cluster.yaml"),
    "nodes: [{ name: here, transport: local }]\nremote_root: work\njobs: { lease: 5 }\n",
  );
  Deno.writeTextFileSync(
    join(folder.path, "p.yaml"),
    PIPELINE.replace("steps:", `env: { PROJECT: ${JSON.stringify(folder.path)} }\nsteps:`),
  );
  return folder;
}

/** Ends the step, and waits until its job has. */
async function release(folder: TempDir): Promise<void> {
  Deno.writeTextFileSync(join(folder.path, "release"), "");
  await grid(["resume", "--quiet", "--config", "cluster.yaml"], { cwd: folder.path });
}

Deno.test("grid logs -f of a run whose runner was killed comes to an end", async () => {
  using folder = longProject();
  await using run = await begin(folder);
  const followed = grid(["logs", "last", "work", "-f"], { cwd: folder.path, timeoutMs: 30_000 });
  await new Promise((resolve) => setTimeout(resolve, 1000));
  await run.kill();
  const { code, stdout, stderr } = await followed;
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "begun\n");
  assert.match(stderr, /its runner is gone.*grid resume/s);
  await release(folder);
});

Deno.test("a run whose runner was killed is called stopped, and its report is made from the journal", async () => {
  using folder = longProject();
  await using run = await begin(folder);
  await run.kill();
  const options = { cwd: folder.path };

  const runs = await grid(["runs"], options);
  assert.match(runs.stdout, /long +stopped/);
  const [row] = JSON.parse((await grid(["runs", "--json"], options)).stdout).runs;
  assert.equal(row.result, "stopped");
  const why = await grid(["why", "last", "work"], options);
  assert.match(why.stdout, /^work runs on here, as far as its run could see$/m);

  for (const args of [["show", "--json"], ["report", "--json"]]) {
    const { code, stdout, stderr } = await grid(args, options);
    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout);
    assert.deepEqual([report.result, report.steps[0].state], ["stopped", "stopped"]);
    assert.equal(report.steps[0].attempts[0].log, "logs/work.1.log");
  }
  const show = await grid(["show"], options);
  assert.match(show.stdout, /✖ long stopped/);
  const shown = /report +(\S+report\.html)/.exec(show.stdout)?.[1] ?? "";
  assert.ok(existsSync(join(folder.path, shown)), show.stdout);
  await release(folder);
});

Deno.test("a run whose runner was killed takes no more time, and names the run that went on from it", async () => {
  using folder = longProject();
  await using run = await begin(folder);
  await run.kill();
  const options = { cwd: folder.path };
  const rows = async () => JSON.parse((await grid(["runs", "--json"], options)).stdout).runs;
  const took = async () =>
    /stopped +\S+ \S+ +(.*\S)/.exec((await grid(["runs"], options)).stdout)?.[1];
  const before = await took();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal(await took(), before);
  await release(folder);

  const [resumed, stopped] = await rows();
  assert.equal(stopped.resumedAs, resumed.run);
  assert.match((await grid(["runs"], options)).stdout, new RegExp(`resumed as ${resumed.run}`));
  const show = await grid(["show", stopped.run], options);
  assert.match(show.stdout, new RegExp(`resumed as ${resumed.run}; .*grid show`));
  const why = await grid(["why", "last", "work"], options);
  assert.match(why.stdout, new RegExp(`its job was taken over from run ${stopped.run}, which `));
  assert.match(why.stdout, /which started it, \S+s before its end was seen/);
});

Deno.test("a run that is under way is called running, and has no report yet", async () => {
  using folder = longProject();
  await using run = await begin(folder);
  const options = { cwd: folder.path };
  const runs = await grid(["runs"], options);
  assert.match(runs.stdout, /long +running/);
  const show = await grid(["show"], options);
  assert.match(show.stdout, /▸ long running for/);
  assert.match(show.stdout, /grid logs \S+ -f/);
  assert.doesNotMatch(show.stdout, /resume|report\.html|stopped/);
  const { code, stdout, stderr } = await grid(["show", "--json"], options);
  assert.equal(code, 0, stderr);
  assert.equal(JSON.parse(stdout).result, "running");
  Deno.writeTextFileSync(join(folder.path, "release"), "");
  assert.equal((await run.ended).code, 0);
});
