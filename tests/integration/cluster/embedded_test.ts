import assert from "node:assert/strict";
import { join } from "node:path";
import { loadClusterConfig } from "../../../src/cluster/load_config.ts";
import { openCluster } from "../../../src/cluster/open.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { GridError } from "../../../src/core/errors.ts";
import { createPool } from "../../../src/transport/pool.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { MemoryCache, selector } from "../../unit/cluster/nodes.ts";

async function clusterIn(project: string, file?: string) {
  const config = await loadClusterConfig({ file, project, env: {} });
  const pool = createPool({ handshakes: config.ssh.poolSize });
  const cluster = openCluster({
    config,
    pool,
    cache: new MemoryCache(),
    clock: systemClock,
    project,
    random: Math.random,
  });
  return {
    cluster,
    [Symbol.asyncDispose]: async () => {
      cluster[Symbol.dispose]();
      await pool[Symbol.asyncDispose]();
    },
  };
}

Deno.test("without a config two nodes of this machine are healthy, each with its own folder", async () => {
  using project = tempDir();
  await using grid = await clusterIn(project.path);
  const rows = await grid.cluster.health();
  assert.deepEqual(rows.map(({ node, status }) => [node, status]), [
    ["local1", "ok"],
    ["local2", "ok"],
  ]);
  const roots = await Promise.all(
    rows.map(async ({ node }) => (await grid.cluster.open(node)).root),
  );
  assert.deepEqual(
    roots,
    ["local1", "local2"].map((name) => join(project.path, ".grid", "nodes", name)),
  );
});

Deno.test("the node local is this machine and the project folder", async () => {
  using project = tempDir();
  await using grid = await clusterIn(project.path);
  const local = await grid.cluster.open("local");
  assert.equal(local.root, project.path);
  assert.deepEqual([...Deno.readDirSync(project.path)], []);
});

Deno.test("work without a wish is given to both nodes in turn", async () => {
  using project = tempDir();
  await using grid = await clusterIn(project.path);
  const chosen = new Set<string>();
  for (let round = 0; round < 4; round++) {
    chosen.add((await grid.cluster.select(selector(), { holder: `run s ${round}` })).node);
  }
  assert.deepEqual([...chosen].toSorted(), ["local1", "local2"]);
});

Deno.test("a workspace where a file stands is named, with what to do", async () => {
  using project = tempDir();
  const file = join(project.path, "cluster.yaml");
  Deno.writeTextFileSync(join(project.path, "taken"), "");
  Deno.writeTextFileSync(file, "nodes: [{ name: here, transport: local, remote_root: taken }]\n");
  await using grid = await clusterIn(project.path, file);
  const error = await grid.cluster.open("here").then(() => undefined, (thrown) => thrown);
  assert.ok(error instanceof GridError);
  assert.equal(error.code, "workspace");
  assert.match(
    error.message,
    /"here": the folder cannot be made \((File exists|Not a directory)\)/,
  );
  assert.match(error.hint ?? "", /remote_root of "here"/);
});

Deno.test("open() gives up when the signal fires, and works the next time", async () => {
  using project = tempDir();
  await using grid = await clusterIn(project.path);
  const signal = AbortSignal.abort(new Error("stop"));
  await assert.rejects(() => grid.cluster.open("local1", { signal }), /stop/);
  const stop = new AbortController();
  const opening = grid.cluster.open("local1", { signal: stop.signal });
  stop.abort(new Error("stop"));
  await assert.rejects(opening, /stop/);
  assert.ok((await grid.cluster.open("local1")).root.endsWith("local1"));
});
