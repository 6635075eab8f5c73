/** One row of the database that cannot be read costs its run, and nothing else. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type CliResult, grid, project } from "../support/cli.ts";
import type { TempDir } from "../support/temp_dir.ts";

const PIPELINE = "name: p\nsteps:\n  - { id: a, node: local, run: echo hi }\n";

async function twoRuns(): Promise<TempDir & { readonly runs: readonly string[] }> {
  const folder = project({ "p.yaml": PIPELINE });
  for (let run = 0; run < 2; run++) {
    const { code, stderr } = await grid(["run", "p.yaml"], { cwd: folder.path });
    assert.equal(code, 0, stderr);
  }
  const { stdout } = await grid(["runs", "--json"], { cwd: folder.path });
  const runs = JSON.parse(stdout).runs.map(({ run }: { run: string }) => run).reverse();
  return { ...folder, runs };
}

function change(folder: TempDir, sql: string): void {
  const database = new DatabaseSync(join(folder.path, ".grid", "grid.db"));
  database.exec(sql);
  database.close();
}

const DAMAGES = {
  "is damaged": `UPDATE journal SET json = '{bad' WHERE run_id = 1 AND seq = 3`,
  "is of a kind that this Grid does not know":
    `UPDATE journal SET type = 'step.paused', json = '{"type":"step.paused","at":1,"step":"a"}'
     WHERE run_id = 1 AND seq = 3`,
  "events are missing": "DELETE FROM journal WHERE run_id = 1 AND seq = 3",
  "was written by a newer Grid":
    `UPDATE journal SET json = json_set(json, '$.form', 99) WHERE run_id = 1 AND seq = 1`,
};

for (const [state, sql] of Object.entries(DAMAGES)) {
  const commands = state === "is damaged" ? ["show", "why", "logs", "resume"] : ["show"];
  Deno.test(`a journal that cannot be read (${state}) costs that run's page alone`, async () => {
    const folder = await twoRuns();
    using _folder = folder;
    change(folder, sql);
    const [broken = "", whole = ""] = folder.runs;
    const call = (...args: string[]): Promise<CliResult> => grid(args, { cwd: folder.path });
    for (const command of commands) {
      const words = command === "why" ? [command, broken, "a"] : [command, broken];
      const { code, stderr } = await call(...words);
      assert.equal(code, 2, `${command}: ${stderr}`);
      assert.match(
        stderr,
        new RegExp(`^error: Cannot read the journal of run ${broken}: .*${state}`, "m"),
      );
      assert.match(stderr, /^hint: .*other runs are not touched/m);
    }
    assert.match((await call("show", whole)).stdout, /p succeeded/);
    const listed = await call("runs");
    assert.deepEqual([listed.code, listed.stderr], [0, ""]);
    for (const run of folder.runs) assert.match(listed.stdout, new RegExp(run));
    const metrics = await call("metrics");
    assert.equal(metrics.code, 0, metrics.stderr);
    assert.match(
      metrics.stdout,
      /grid_runs_completed_total\{pipeline="\w+",status="succeeded"\} 2/,
    );
    assert.equal((await call("run", "p.yaml")).code, 0);
  });
}

Deno.test("grid metrics says once of each run that something of it is not counted", async () => {
  const folder = await twoRuns();
  using _folder = folder;
  change(folder, "UPDATE journal SET json = '{' WHERE run_id = 1 AND seq IN (3, 4)");
  // As in a journal that an older Grid wrote: nothing of it was counted yet.
  change(folder, "DELETE FROM tallies");
  const { code, stderr } = await grid(["metrics"], { cwd: folder.path });
  assert.equal(code, 0);
  const warnings = stderr.split("\n").filter((line) => line.startsWith("warning: "));
  assert.equal(warnings.length, 1, stderr);
  assert.match(warnings[0] ?? "", new RegExp(`journal of run ${folder.runs[0]}`));
});

Deno.test("the list of runs stands, though the last event of a killed run is damaged", async () => {
  const folder = await twoRuns();
  using _folder = folder;
  change(folder, "UPDATE runs SET finished_at = NULL, result = 'running' WHERE id = 1");
  change(folder, "UPDATE journal SET json = '{' WHERE run_id = 1");
  const { code, stdout, stderr } = await grid(["runs"], { cwd: folder.path });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /stopped/);
});

Deno.test("the list of runs stands, though numbers in it are none that a clock shows", async () => {
  const folder = await twoRuns();
  using _folder = folder;
  change(
    folder,
    `UPDATE runs SET started_at = -9e15, finished_at = 9000000000000000000, duration_ms = 9e15,
     result = '?' WHERE id = 1`,
  );
  change(folder, "UPDATE journal SET json = json_set(json, '$.at', 9e15) WHERE run_id = 1");
  const [broken = "", whole = ""] = folder.runs;
  for (const args of [["runs"], ["runs", "--json"], ["metrics"], ["show", whole], ["clean"]]) {
    const { code, stderr } = await grid(args, { cwd: folder.path });
    assert.equal(code, 0, `${args}: ${stderr}`);
  }
  const { code, stderr } = await grid(["show", broken], { cwd: folder.path });
  assert.equal(code, 2);
  assert.match(stderr, /^error: Cannot read the journal of run .* is damaged/m);
});
