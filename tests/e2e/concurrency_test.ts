import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { grid, programArgs, project } from "../support/cli.ts";

function pipeline(onConflict: string): string {
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
async function startHolder(folder: string): Promise<Deno.ChildProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: programArgs(["run", "p.yaml"]),
    cwd: folder,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  for (let wait = 0; !existsSync(join(folder, "starts")); wait++) {
    assert.ok(wait < 600, "the first run did not start");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return child;
}

function starts(folder: string): number {
  return Deno.readTextFileSync(join(folder, "starts")).split("started").length - 1;
}

const release = (folder: string) => Deno.writeTextFileSync(join(folder, "release"), "");

Deno.test("concurrency fail: the second run ends at once with exit code 5", async () => {
  using folder = project({ "p.yaml": pipeline("fail") });
  const holder = await startHolder(folder.path);
  const { code, stderr } = await grid(["run", "p.yaml"], { cwd: folder.path });
  assert.equal(code, 5, stderr);
  assert.match(stderr, /"?one"?/);
  release(folder.path);
  assert.equal((await holder.status).code, 0);
  assert.equal(starts(folder.path), 1);
});

Deno.test("concurrency skip: the second run does nothing and says so", async () => {
  using folder = project({ "p.yaml": pipeline("skip") });
  const holder = await startHolder(folder.path);
  const { code, stderr } = await grid(["run", "p.yaml"], { cwd: folder.path });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /skipped/);
  release(folder.path);
  assert.equal((await holder.status).code, 0);
  assert.equal(starts(folder.path), 1);
});

Deno.test("concurrency queue: the second run waits, also for a runner that was killed", async () => {
  using folder = project({ "p.yaml": pipeline("queue") });
  const holder = await startHolder(folder.path);
  const second = grid(["run", "p.yaml"], { cwd: folder.path });
  await new Promise((resolve) => setTimeout(resolve, 1000));
  assert.equal(starts(folder.path), 1, "the second run did not wait");
  holder.kill("SIGKILL");
  await holder.status;
  release(folder.path);
  const { code, stderr } = await second;
  assert.equal(code, 0, stderr);
  assert.equal(starts(folder.path), 2);
});

Deno.test("concurrency cancel-oldest: the first run is ended, the second takes its place", async () => {
  using folder = project({ "p.yaml": pipeline("cancel-oldest") });
  const holder = await startHolder(folder.path);
  const second = grid(["run", "p.yaml"], { cwd: folder.path });
  assert.equal((await holder.status).code, 130);
  release(folder.path);
  const { code, stderr } = await second;
  assert.equal(code, 0, stderr);
  assert.equal(starts(folder.path), 2);
});
