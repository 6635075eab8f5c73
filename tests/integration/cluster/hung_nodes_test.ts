/**
 * Nodes that accept a connection and say nothing, mixed with nodes that are well. With
 * `GRID_TEST_ROUNDS=20` there are thirty of these, and how long it took is printed.
 */
import assert from "node:assert/strict";
import { configOf } from "../../../src/cluster/defaults.ts";
import { openCluster } from "../../../src/cluster/open.ts";
import { systemClock } from "../../../src/core/clock.ts";
import { createPool } from "../../../src/transport/pool.ts";
import { type OpenSshLab, type OpenSshNode, startOpenSsh } from "../../support/openssh.ts";
import { testWith } from "../../support/requires.ts";
import { MemoryCache, selector } from "../../unit/cluster/nodes.ts";

const IS_WHOLE = Number(Deno.env.get("GRID_TEST_ROUNDS") ?? 1) >= 20;
const DAEMONS = IS_WHOLE ? 2 : 1;
/** A daemon listens on at most sixteen addresses. */
const ADDRESSES = IS_WHOLE ? 15 : 8;
const HEALTHY = DAEMONS * ADDRESSES;
/** Two and a half times as many as may shake hands at once. */
const HUNG = 25;

/** A daemon is many nodes, by address. */
const healthyHosts = Array.from({ length: ADDRESSES }, (_, index) => `127.0.4.${index + 1}`);

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
  readonly daemons: readonly OpenSshNode[];
  readonly silentPort: number;
  /** Seconds. A busy machine needs some. */
  readonly patience: { readonly connect: number; readonly answer: number };
}

function clusterOf(lab: OpenSshLab, { daemons, silentPort, patience }: LabOptions) {
  const keys = daemons.map(({ port, hostKeyFile }) =>
    `[127.0.4.*]:${port} ${Deno.readTextFileSync(`${hostKeyFile}.pub`)}`
  );
  Deno.writeTextFileSync(lab.knownHosts, keys.join(""));
  const healthy = daemons.flatMap(({ port }) => healthyHosts.map((host) => ({ host, port })))
    .map((place, i) => ({ name: `well${i}`, ...place }));
  const hung = Array.from({ length: HUNG }, (_, i) => ({
    name: `hung${i}`,
    host: "127.0.5.1",
    port: silentPort,
  }));
  const nodes = [...hung.slice(0, 22), ...healthy, ...hung.slice(22)];
  const config = configOf({
    nodes: nodes.map((named) => ({ ...named, user: daemons[0]?.endpoint.user })),
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
    nodes: DAEMONS,
    gpus: 0,
    sshdConfig: ["MaxStartups 200", ...healthyHosts.map((host) => `ListenAddress ${host}`)],
  });
  return { lab, daemons: lab.nodes };
}

testWith(["sshd"], "nodes that hang take no turn away from those that are well", async () => {
  const { lab, daemons } = await startLab();
  await using _lab = lab;
  await using silent = new SilentServer();
  await using grid = clusterOf(lab, {
    daemons,
    silentPort: silent.port,
    // Two rounds of handshakes that only their own deadline ends.
    patience: IS_WHOLE ? { connect: 5, answer: 3 } : { connect: 5, answer: 10 },
  });
  const began = performance.now();
  const rows = await grid.cluster.health();
  if (IS_WHOLE) console.log(`the table: ${Math.round(performance.now() - began)} ms`);
  const wrong = rows.filter(({ node, status }) => (status === "ok") !== node.startsWith("well"));
  assert.deepEqual(wrong.map(({ node, reason }) => `${node}: ${reason}`), []);
  assert.equal(rows.length, HEALTHY + HUNG);
});

testWith(["sshd"], "a choice does not wait for nodes that hang", async () => {
  const { lab, daemons } = await startLab();
  await using _lab = lab;
  await using silent = new SilentServer();
  await using grid = clusterOf(lab, {
    daemons,
    silentPort: silent.port,
    patience: { connect: 60, answer: 60 },
  });
  const began = performance.now();
  const { node: chosen, passedOver } = await grid.cluster.select(selector());
  if (IS_WHOLE) console.log(`the choice: ${Math.round(performance.now() - began)} ms`);
  assert.match(chosen, /^well/);
  assert.equal(passedOver.filter(({ node }) => node.startsWith("hung")).length, HUNG);
  const words = new Set(passedOver.map(({ reason }) => reason));
  assert.ok(words.has("it has not answered yet, others have"), [...words].join("; "));
});
