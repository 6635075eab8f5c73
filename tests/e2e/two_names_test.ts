/** One machine that the config knows by two names: what is there is there once. */
import assert from "node:assert/strict";
import { grid, project, startGrid, until } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { type OpenSshLab, startOpenSsh } from "../support/openssh.ts";
import { testWith } from "../support/requires.ts";

testWith(
  ["sshd"],
  "one machine under two names is listed and counted once, and it is said",
  async () => {
    await using lab = await startOpenSsh({ nodes: 1, gpus: 2 });
    using folder = project({ "config/cluster_config.yaml": withTwin(lab) });
    const cwd = { cwd: folder.path };
    const ask = async (...words: readonly string[]) => {
      const { stdout, stderr, code } = await grid(words, cwd);
      assert.equal(code, 0, stderr);
      return { data: words.includes("--json") ? JSON.parse(stdout) : stdout, stderr };
    };
    await using busy = startGrid(["run", "--node", "twin", "--gpus", "1", "sleep 300"], cwd);
    await until(() => lab.leftovers().some(({ command }) => /sleep 300/.test(command)));

    const ps = await ask("ps", "--json");
    assert.deepEqual(ps.data.jobs.map(({ node }: { node: string }) => node), ["node1"]);
    assert.match((await ask("ps")).stderr, /^twin is node1 by another name/m);
    assert.equal((await ask("queue", "--json")).data.queue.length, 1);
    const free = await ask("free", "--json", "--fresh");
    const [{ free: count, total }] = free.data.models;
    assert.deepEqual([count, total], [1, 2]);
    const rows = (await ask("health", "--json")).data.nodes;
    assert.deepEqual(rows.map(({ sameAs }: { sameAs: string | null }) => sameAs), [null, "node1"]);
    assert.match((await ask("health")).data, /is node1 by another name/);

    const id = String(ps.data.jobs[0].id);
    await ask("kill", "--grace", "1s", id.slice(0, -1));
    await busy.ended;
  },
);

testWith(["sshd"], "no gang has two ranks on one machine, not even on the first day", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 2 });
  using folder = project({
    "config/cluster_config.yaml": withTwin(lab),
    "p.yaml": "name: p\nsteps:\n  - { id: all, nodes: 2, run: echo ran }\n",
    "q.yaml": "name: q\nsteps:\n  - { id: all, nodes: { count: 2, gpus: 1 }, run: echo ran }\n",
  });
  for (const file of ["p.yaml", "p.yaml", "q.yaml"]) {
    const { code, stderr } = await grid(["run", file], { cwd: folder.path });
    assert.equal(code, 3, stderr);
    assert.match(stderr, /1 can be had; (node1: it is twin|twin: it is node1) by another name/);
    assert.doesNotMatch(stderr, /ran$/m);
  }
});

/** Its node has the second name "twin". */
function withTwin(lab: OpenSshLab): string {
  const config = labConfig({ lab, rayMode: "embedded" });
  const twin = /^ {2}- .*name: node1,.*$/m.exec(config)?.[0].replace("node1", "twin") ?? "";
  return config.replace("remote_root", `${twin}\nremote_root`);
}
