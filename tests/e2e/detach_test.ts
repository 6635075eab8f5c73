import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { grid, programArgs, project } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { testWith } from "../support/requires.ts";

const PIPELINE = `name: detached
steps:
  - id: long
    detach: true
    run: |
      echo started > ~/started
      while [ ! -f ~/release ]; do sleep 0.1; done
      echo finished > ~/finished
`;

testWith(
  ["sshd"],
  "a detached job outlives its killed runner; ps shows it, kill ends it",
  async () => {
    await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
    const home = lab.nodes[0]?.home ?? "";
    using folder = project({
      "p.yaml": PIPELINE,
      "lab.yaml": labConfig({ lab, rayMode: "embedded" }),
    });
    const options = { cwd: folder.path };
    const ps = async () => {
      const { stdout, stderr } = await grid(["ps", "--json", "--config", "lab.yaml"], options);
      assert.ok(stdout.startsWith("{"), stderr);
      return JSON.parse(stdout).jobs as { id: string; state: string; detached: boolean }[];
    };

    await startAndKill(folder.path, () => existsSync(join(home, "started")));
    const [first] = await ps();
    assert.deepEqual([first?.state, first?.detached], ["running", true]);
    Deno.writeTextFileSync(join(home, "release"), "");
    await until(() => existsSync(join(home, "finished")));

    for (const name of ["release", "started", "finished"]) Deno.removeSync(join(home, name));
    await startAndKill(folder.path, () => existsSync(join(home, "started")));
    const running = (await ps()).find(({ state }) => state === "running");
    assert.ok(running);
    const kill = await grid(["kill", running.id, "--config", "lab.yaml"], options);
    assert.equal(kill.code, 0, kill.stderr);
    assert.match(kill.stderr, /ended, 0 survivors/);
    assert.equal((await ps()).some(({ state }) => state === "running"), false);
    assert.equal(existsSync(join(home, "finished")), false);
  },
);

async function startAndKill(cwd: string, ready: () => boolean): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: programArgs(["run", "p.yaml", "--config", "lab.yaml"]),
    cwd,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  await until(ready);
  child.kill("SIGKILL");
  await child.status;
}

async function until(condition: () => boolean): Promise<void> {
  for (let wait = 0; !condition(); wait++) {
    assert.ok(wait < 600, "it did not happen within 30 s");
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
