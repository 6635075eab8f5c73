import assert from "node:assert/strict";
import { join } from "node:path";
import { configOf } from "../../../src/cluster/defaults.ts";
import { openCluster } from "../../../src/cluster/open.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { GridError } from "../../../src/core/errors.ts";
import { createPool } from "../../../src/transport/pool.ts";
import { setGpus } from "../../support/fake_nvidia_smi.ts";
import { type OpenSshLab, startOpenSsh } from "../../support/openssh.ts";
import { findAccount, testWith } from "../../support/requires.ts";
import { MemoryCache, selector } from "../../unit/cluster/nodes.ts";

function configFor(lab: OpenSshLab, remoteRoot?: string) {
  return configOf({
    nodes: lab.nodes.map(({ name, endpoint }) => ({
      name,
      host: endpoint.host,
      port: endpoint.port,
      user: endpoint.user,
    })),
    ssh: { key_file: lab.keyFile, known_hosts: lab.knownHosts, max_retries: 0 },
    remote_root: remoteRoot,
    health_check: { timeout: 6 },
  }, { file: "lab.yaml", project: lab.folder, env: {} });
}

interface LabClusterOptions {
  readonly remoteRoot?: string;
}

function clusterOf(lab: OpenSshLab, options: LabClusterOptions = {}) {
  const config = configFor(lab, options.remoteRoot);
  const pool = createPool({ handshakes: config.ssh.poolSize });
  const cache = new MemoryCache();
  const cluster = openCluster({
    config,
    pool,
    cache,
    clock: systemClock,
    project: lab.folder,
    random: Math.random,
  });
  return { cluster, pool, cache, [Symbol.asyncDispose]: () => pool[Symbol.asyncDispose]() };
}

testWith(["sshd"], "of a stopped, a busy and an idle node the idle one is chosen", async () => {
  await using lab = await startOpenSsh({ nodes: 3, gpus: 2 });
  const [stopped, busy] = lab.nodes;
  assert.ok(stopped && busy);
  await stopped.stop();
  const used = Math.round(24576 * 0.9);
  setGpus(busy.home, [{ memoryUsed: used }, { memoryUsed: used }]);
  await using grid = clusterOf(lab);
  const rows = await grid.cluster.health();
  assert.deepEqual(rows.map(({ node, status }) => [node, status]), [
    ["node1", "unreachable"],
    ["node2", "ok"],
    ["node3", "ok"],
  ]);
  assert.match(rows[0]?.reason ?? "", /refused/);
  assert.ok(Math.abs((rows[1]?.gpuPercent ?? 0) - 90) < 1);
  assert.equal(rows[2]?.gpuPercent, 0);
  const placement = await grid.cluster.select(selector({ gpus: 1 }));
  assert.equal(placement.node, "node3");
  assert.deepEqual(placement.passedOver.map(({ node }) => node), ["node1", "node2"]);
});

testWith(["sshd"], "health, choice and workspace share one handshake per node", async () => {
  await using lab = await startOpenSsh({ nodes: 2 });
  await using grid = clusterOf(lab);
  await grid.cluster.health({ fresh: true });
  await grid.cluster.health({ fresh: true });
  const { node } = await grid.cluster.select(selector());
  await grid.cluster.open(node);
  assert.deepEqual(lab.nodes.map((node) => node.acceptedLogins()), [1, 1]);
});

testWith(["sshd"], "open() makes the workspace in the account's home, once", async () => {
  await using lab = await startOpenSsh({ nodes: 1 });
  await using grid = clusterOf(lab);
  const [first, second] = await Promise.all([
    grid.cluster.open("node1"),
    grid.cluster.open("node1"),
  ]);
  assert.equal(first, second);
  assert.equal(await grid.cluster.open("node1"), first);
  assert.equal(first.home, lab.nodes[0]?.home);
  assert.equal(first.root, lab.nodes[0]?.root);
  // Nothing but the word by which nodes know that they share it.
  const names = (folder: string) => [...Deno.readDirSync(folder)].map(({ name }) => name);
  assert.deepEqual(names(first.root), [".grid"]);
  assert.deepEqual(names(`${first.root}/.grid`), ["token"]);
  const { stdout } = await first.transport.exec("echo $HOME");
  assert.equal(stdout.trim(), first.home);
});

testWith(
  ["sshd"],
  "open() of a workspace that cannot be made says where to change it",
  async () => {
    await using lab = await startOpenSsh({ nodes: 1 });
    await using grid = clusterOf(lab, { remoteRoot: "/proc/grid" });
    const error = await grid.cluster.open("node1").then(() => undefined, (thrown) => thrown);
    assert.ok(error instanceof GridError);
    assert.equal(error.code, "workspace");
    assert.equal(error.exitCode, 3);
    assert.equal(error.node, "node1");
    assert.match(
      error.message,
      /^Cannot use the workspace "\/proc\/grid" on "node1": the folder cannot be made \(.+\)$/,
    );
    assert.match(error.hint ?? "", /remote_root of "node1" in lab.yaml/);
  },
);

testWith(["sshd"], "a node that comes back is healthy again", async () => {
  await using lab = await startOpenSsh({ nodes: 1 });
  const [only] = lab.nodes;
  assert.ok(only);
  await using grid = clusterOf(lab);
  await only.stop();
  const [down] = await grid.cluster.health({ fresh: true });
  assert.equal(down?.status, "unreachable");
  await only.start();
  await using next = clusterOf(lab);
  const [up] = await next.cluster.health({ fresh: true });
  assert.equal(up?.status, "ok", up?.reason);
});

testWith(["sshd"], "a hung GPU tool leaves the node's other facts, and no process", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 1 });
  const [only] = lab.nodes;
  assert.ok(only);
  Deno.writeTextFileSync(join(only.home, "gpu.delay"), "600");
  await using grid = clusterOf(lab);
  const [row] = await grid.cluster.health({ fresh: true });
  assert.equal(row?.status, "ok", row?.reason);
  assert.equal(row?.facts?.gpuTool, "failed");
  assert.equal(row?.gpuPercent, 100);
  assert.ok(row?.facts?.load1 !== undefined);
  const error = await grid.cluster.select(selector({ gpus: 1 })).catch((thrown) => thrown);
  assert.match(error.message, /node1: nvidia-smi did not answer in time/);
  await grid.pool[Symbol.asyncDispose]();
  const tools = () => lab.leftovers().filter(({ command }) => /nvidia-smi|sleep/.test(command));
  const deadline = Date.now() + 60_000;
  // Between two of its queries there is no process either.
  for (let calm = 0; calm < 30 && Date.now() < deadline;) {
    await systemClock.sleep(100);
    calm = tools().length === 0 ? calm + 1 : 0;
  }
  assert.deepEqual(tools(), []);
});

testWith(
  ["sshd", "root", "account"],
  "a node whose workspace cannot be written to is never chosen, and says why",
  async () => {
    const account = findAccount();
    assert.ok(account);
    await using lab = await startOpenSsh({ nodes: 1, account });
    await using foreign = tempFolder(lab);
    await using grid = clusterOf(lab, { remoteRoot: join(foreign.path, "work") });
    const [row] = await grid.cluster.health({ fresh: true });
    assert.equal(row?.status, "unusable");
    assert.equal(row?.reason, `this account may not write to ${foreign.path}`);
    const error = await grid.cluster.select(selector()).catch((thrown) => thrown);
    assert.match(error.message, /node1: this account may not write to/);
    // Put right, it is well at the next use, not after the row's age.
    Deno.chmodSync(foreign.path, 0o777);
    await grid.cluster.open("node1");
    const [mended] = await grid.cluster.health();
    assert.equal(mended?.status, "ok");
  },
);

/** A folder of this account that others may enter. */
function tempFolder(lab: OpenSshLab) {
  const path = join(lab.folder, "foreign");
  Deno.mkdirSync(path);
  Deno.chmodSync(path, 0o755);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}
