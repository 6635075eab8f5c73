import assert from "node:assert/strict";
import { grid, project, startGrid, until } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { testWith } from "../support/requires.ts";

testWith(
  ["sshd"],
  "run --all runs on every node, folds equal outputs and counts dead nodes",
  async () => {
    await using lab = await startOpenSsh({ nodes: 3, gpus: 0 });
    const config = labConfig({ lab, rayMode: "embedded" });
    using folder = project({ "config/cluster_config.yaml": config });
    const run = (...args: readonly string[]) => grid(args, { cwd: folder.path });

    const same = await run("run", "--all", "echo one; echo two >&2");
    assert.equal(same.code, 0, same.stderr);
    assert.equal(same.stdout, "── node[1-3] (3 nodes)\none\ntwo\n");

    const mixed = await run(
      "run",
      "--all",
      "case $GRID_NODE in node2) echo bad; exit 7;; esac; echo ok",
    );
    assert.equal(mixed.code, 1);
    assert.equal(mixed.stdout, "── node[1,3] (2 nodes)\nok\n── node2: exit code 7\nbad\n");
    const own = await run("run", "--all", "--exit-code", "step", "--nodes", "node[2-3]", "exit 7");
    assert.equal(own.code, 7);
    assert.equal(own.stdout, "── node[2-3] (2 nodes): exit code 7\n");

    const late = await run("run", "--all", "--timeout", "500ms", "--nodes", "node1", "sleep 60");
    assert.equal(late.code, 4);
    assert.match(late.stdout, /^── node1: its time is over$/m);

    await lab.nodes[0]?.stop();
    const dead = await run("run", "--all", "--json", "echo $GRID_NODE");
    assert.equal(dead.code, 3);
    const { nodes, notReached } = JSON.parse(dead.stdout);
    assert.deepEqual(nodes.map(({ stdout }: { stdout: string }) => stdout), ["node2\n", "node3\n"]);
    assert.deepEqual(notReached.map(({ node }: { node: string }) => node), ["node1"]);
    const told = await run("run", "--all", "true");
    assert.match(told.stderr, /^not reached: 1 of 3\n {2}node1: /m);

    await using stopped = startGrid(["run", "--all", "echo up >>~/up; exec sleep 600"], {
      cwd: folder.path,
    });
    const up = () => lab.nodes.slice(1).every(({ home }) => isThere(`${home}/up`));
    await until(up, { what: "both jobs" });
    stopped.signal("SIGINT");
    assert.equal((await stopped.ended).code, 130);
    assert.deepEqual(lab.leftovers().filter(({ command }) => command.includes("sleep 600")), []);

    const wrong = await run("run", "--all", "pipeline.yaml");
    assert.equal(wrong.code, 2);
    assert.equal((await run("run", "--all", "true", "--gpus", "1")).code, 2);
  },
);

function isThere(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false;
  }
}
