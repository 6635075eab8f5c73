/** Nodes that accept a connection and say nothing, mixed with nodes that are well. */
import assert from "node:assert/strict";
import { configOf } from "../../../src/cluster/defaults.ts";
import { openCluster } from "../../../src/cluster/open.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { createPool } from "../../../src/transport/pool.ts";
import { type OpenSshLab, type OpenSshNode, startOpenSsh } from "../../support/openssh.ts";
import { testWith } from "../../support/requires.ts";
import { MemoryCache, selector } from "../../unit/cluster/nodes.ts";

/** A daemon listens on at most sixteen addresses. */
const HEALTHY = 8;
/** Two and a half times as many as may shake hands at once. */
const HUNG = 25;

/** One daemon that is many nodes, by address. */
const healthyHosts = Array.from({ length: HEALTHY }, (_, index) => `127.0.4.${index + 1}`);

/** Accepts and keeps silent. */
class SilentServer implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.5.1", port: 0 });
  readonly #connections: Deno.Conn[] = [];
  readonly #accepting = this.#accept();

  get port(): number {
    return this.#listener.addr.port;
  }

  async #accept(): Promise<void> {
    for await (const connection of this.#listener) this.#connections.push(connection);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    await this.#accepting;
    for (const connection of this.#connections) connection.close();
  }
}

interface LabOptions {
  readonly node: OpenSshNode;
  readonly silentPort: number;
  /** Seconds. A busy machine needs some. */
  readonly patience: { readonly connect: number; readonly answer: number };
}

function clusterOf(lab: OpenSshLab, { node, silentPort, patience }: LabOptions) {
  const key = Deno.readTextFileSync(`${node.hostKeyFile}.pub`);
  Deno.writeTextFileSync(lab.knownHosts, `[127.0.4.*]:${node.port} ${key}`);
  const healthy = healthyHosts.map((host, i) => ({ name: `well${i}`, host, port: node.port }));
  const hung = Array.from({ length: HUNG }, (_, i) => ({
    name: `hung${i}`,
    host: "127.0.5.1",
    port: silentPort,
  }));
  const nodes = [...hung.slice(0, 22), ...healthy, ...hung.slice(22)];
  const config = configOf({
    nodes: nodes.map((named) => ({ ...named, user: node.endpoint.user })),
    ssh: {
      key_file: lab.keyFile,
      known_hosts: lab.knownHosts,
      connect_timeout: patience.connect,
    },
    health_check: { timeout: patience.answer },
  }, { file: "lab.yaml", project: lab.folder, env: {} });
  const pool = createPool({ handshakes: config.ssh.poolSize });
  const cluster = openCluster({
    config,
    pool,
    cache: new MemoryCache(),
    clock: systemClock,
    project: lab.folder,
    random: Math.random,
  });
  return {
    cluster,
    async [Symbol.asyncDispose]() {
      cluster[Symbol.dispose]();
      await pool[Symbol.asyncDispose]();
    },
  };
}

async function startLab() {
  const lab = await startOpenSsh({
    nodes: 1,
    gpus: 0,
    sshdConfig: ["MaxStartups 200", ...healthyHosts.map((host) => `ListenAddress ${host}`)],
  });
  const [node] = lab.nodes;
  assert.ok(node);
  return { lab, node };
}

testWith(["sshd"], "nodes that hang take no turn away from those that are well", async () => {
  const { lab, node } = await startLab();
  await using _lab = lab;
  await using silent = new SilentServer();
  await using grid = clusterOf(lab, {
    node,
    silentPort: silent.port,
    // Two rounds of handshakes that only their own deadline ends.
    patience: { connect: 5, answer: 10 },
  });
  const rows = await grid.cluster.health();
  const wrong = rows.filter(({ node, status }) => (status === "ok") !== node.startsWith("well"));
  assert.deepEqual(wrong.map(({ node, reason }) => `${node}: ${reason}`), []);
  assert.equal(rows.length, HEALTHY + HUNG);
});

testWith(["sshd"], "a choice does not wait for nodes that hang", async () => {
  const { lab, node } = await startLab();
  await using _lab = lab;
  await using silent = new SilentServer();
  await using grid = clusterOf(lab, {
    node,
    silentPort: silent.port,
    patience: { connect: 60, answer: 60 },
  });
  const { node: chosen, passedOver } = await grid.cluster.select(selector());
  assert.match(chosen, /^well/);
  assert.equal(passedOver.filter(({ node }) => node.startsWith("hung")).length, HUNG);
  const words = new Set(passedOver.map(({ reason }) => reason));
  assert.ok(words.has("it has not answered yet, others have"), [...words].join("; "));
});
