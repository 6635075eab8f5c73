/** A job whose files are removed under it ends too: nothing may run that nobody can find any more. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { project, type RunningGrid, startGrid, until } from "../support/cli.ts";
import { processesWith } from "../support/processes.ts";
import type { TempDir } from "../support/temp_dir.ts";

const LEASE_SECONDS = 3;

function begin(folder: TempDir): RunningGrid {
  Deno.writeTextFileSync(
    join(folder.path, "cluster.yaml"),
    `nodes: [{ name: here, transport: local }]
remote_root: ${join(folder.path, "root")}
jobs: { lease: ${LEASE_SECONDS} }
`,
  );
  Deno.writeTextFileSync(
    join(folder.path, "p.yaml"),
    `name: p
env: { MARK: ${JSON.stringify(folder.path)} }
steps:
  - { id: a, node: here, run: "touch $MARK/begun; while :; do sleep 0.1; done" }
`,
  );
  return startGrid(["run", "p.yaml", "--config", "cluster.yaml"], { cwd: folder.path });
}

const living = (folder: TempDir) => processesWith(`MARK=${folder.path}`);

/** What the test leaves behind on failure must not stay. */
function reap(folder: TempDir): Disposable {
  return {
    [Symbol.dispose]: () => {
      for (const { pid } of living(folder)) {
        try {
          Deno.kill(pid, "SIGKILL");
        } catch (error) {
          if (!(error instanceof Deno.errors.NotFound)) throw error;
        }
      }
    },
  };
}

Deno.test("a job whose files are gone ends after the lease of its killed runner", async () => {
  using folder = project({});
  using _reap = reap(folder);
  await using run = begin(folder);
  await until(() => existsSync(join(folder.path, "begun")));
  const jobs = join(folder.path, "root", ".grid", "jobs");
  // The guard has seen it.
  await until(() => [...Deno.readDirSync(jobs)].some(({ name }) => name.endsWith(".missed")));
  await run.kill();
  removeInUse(jobs);
  await until(() => living(folder).length === 0, { what: "the end of the job", seconds: 60 });
});

Deno.test("a job whose files are gone is ended by its runner, which says so", async () => {
  using folder = project({});
  using _reap = reap(folder);
  await using run = begin(folder);
  await until(() => existsSync(join(folder.path, "begun")));
  await new Promise((resolve) => setTimeout(resolve, 2000));
  removeInUse(join(folder.path, "root", ".grid", "jobs"));
  await until(() => run.isOver(), { what: "the end of the run", seconds: 30 });
  const { code, stderr } = await run.ended;
  assert.equal(code, 3, stderr);
  assert.match(stderr, /no longer has its files/);
  assert.deepEqual(living(folder), []);
});

/** Files that come while it is emptied are no reason to leave it. */
function removeInUse(folder: string): void {
  for (let tries = 1;; tries++) {
    try {
      return Deno.removeSync(folder, { recursive: true });
    } catch (error) {
      if (tries === 20) throw error;
    }
  }
}
