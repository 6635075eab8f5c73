/** What becomes of a job whose runner was killed and does not come back. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { grid, project, startGrid, until } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { type OpenSshLab, startOpenSsh } from "../support/openssh.ts";
import { processesWith } from "../support/processes.ts";
import { testWith } from "../support/requires.ts";
import type { TempDir } from "../support/temp_dir.ts";

const LEASE_SECONDS = 5;

function filesOf(lab: OpenSshLab, step: string): TempDir {
  return project({
    "p.yaml": `name: detached\nsteps:\n  - id: long\n${step.replaceAll(/^/gm, "    ")}\n`,
    "lab.yaml": `${labConfig({ lab, rayMode: "embedded" })}jobs: { lease: ${LEASE_SECONDS} }\n`,
  });
}

testWith(
  ["sshd"],
  `a job whose runner was killed is ended after the lease, with all that it started`,
  async () => {
    await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
    const home = lab.nodes[0]?.home ?? "";
    using folder = filesOf(
      lab,
      `env: { MARK: "${lab.folder}" }
run: |
  (setsid sh -c 'sleep 1000 & wait' &)
  nohup sleep 1000 >/dev/null 2>&1 &
  echo started > ~/started
  while :; do sleep 0.1; done`,
    );
    const living = () => processesWith(`MARK=${lab.folder}`);
    await startAndKill(folder.path, () => existsSync(join(home, "started")));
    const killedAt = Date.now();
    assert.ok(living().length >= 4, "the job outlives its runner");
    assert.deepEqual((await ps(folder.path)).map(({ state }) => state), ["running"]);
    await until(() => living().length === 0, { what: "the end of the lease", seconds: 30 });
    assert.ok(Date.now() - killedAt < 1000 * (2 * LEASE_SECONDS + 5));
    assert.deepEqual((await ps(folder.path)).map(({ state }) => state), ["ended"]);
    await until(() => lab.leftovers().length === 0, { what: "the end of the watchdog" });
  },
);

testWith(
  ["sshd"],
  "a detached job outlives its killed runner; ps shows it, kill ends it",
  async () => {
    await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
    const home = lab.nodes[0]?.home ?? "";
    using folder = filesOf(
      lab,
      `detach: true
env: { MARK: "${lab.folder}" }
run: |
  echo started > ~/started
  while [ ! -f ~/release ]; do sleep 0.1; done
  echo finished > ~/finished`,
    );
    const living = () => processesWith(`MARK=${lab.folder}`);

    await startAndKill(folder.path, () => existsSync(join(home, "started")));
    await new Promise((resolve) => setTimeout(resolve, 1000 * (LEASE_SECONDS + 2)));
    assert.ok(living().length > 0, "the lease has ended a detached job");
    const [first] = await ps(folder.path);
    assert.deepEqual([first?.state, first?.detached], ["running", true]);
    Deno.writeTextFileSync(join(home, "release"), "");
    await until(() => existsSync(join(home, "finished")));
    await until(() => living().length === 0);
    assert.deepEqual((await ps(folder.path)).map(({ state }) => state), ["ended"]);

    for (const name of ["release", "started", "finished"]) Deno.removeSync(join(home, name));
    await startAndKill(folder.path, () => existsSync(join(home, "started")));
    const running = (await ps(folder.path)).find(({ state }) => state === "running");
    assert.ok(running);
    const kill = await grid(["kill", running.id, "--config", "lab.yaml"], { cwd: folder.path });
    assert.equal(kill.code, 0, kill.stderr);
    assert.match(kill.stderr, /ended, 0 survivors/);
    assert.deepEqual(living(), []);
    assert.equal((await ps(folder.path)).some(({ state }) => state === "running"), false);
    assert.equal(existsSync(join(home, "finished")), false);
  },
);

interface ListedJob {
  readonly id: string;
  readonly state: string;
  readonly detached: boolean;
}

async function ps(cwd: string): Promise<readonly ListedJob[]> {
  const { stdout, stderr } = await grid(["ps", "--json", "--config", "lab.yaml"], { cwd });
  assert.ok(stdout.startsWith("{"), stderr);
  return JSON.parse(stdout).jobs;
}

async function startAndKill(cwd: string, ready: () => boolean): Promise<void> {
  await using run = startGrid(["run", "p.yaml", "--config", "lab.yaml"], { cwd });
  await until(ready, { what: "the start of the step" });
  await run.kill();
}
