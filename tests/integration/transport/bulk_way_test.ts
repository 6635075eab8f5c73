import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { Handshakes } from "../../../src/transport/handshakes.ts";
import { OpenSshConnector } from "../../../src/transport/openssh/connector.ts";
import { createPool } from "../../../src/transport/pool.ts";
import { BulkWay } from "../../../src/transport/ssh/bulk_way.ts";
import type { Link } from "../../../src/transport/ssh/link.ts";
import type { Channel, Transport } from "../../../src/transport/transport.ts";
import { startAgent } from "../../support/agent.ts";
import { type OpenSshLab, type OpenSshNode, startOpenSsh } from "../../support/openssh.ts";
import { testWith } from "../../support/requires.ts";

const MEGABYTES = 3;

async function echoed(channel: Channel): Promise<{ bytes: Uint8Array; code: unknown }> {
  const sent = crypto.getRandomValues(new Uint8Array(60_000));
  const writer = channel.stdin.getWriter();
  const writing = (async () => {
    for (let at = 0; at < MEGABYTES * 17; at++) await writer.write(sent);
    await writer.close();
  })();
  const parts: Uint8Array[] = [];
  for await (const piece of channel.stdout) parts.push(piece);
  await writing;
  const bytes = new Uint8Array(await new Blob(parts as Uint8Array<ArrayBuffer>[]).arrayBuffer());
  for (let at = 0; at < bytes.length; at += sent.length) {
    assert.deepEqual(bytes.subarray(at, at + sent.length), sent);
  }
  return { bytes, code: await channel.exit };
}

async function echoOf(transport: Transport): Promise<void> {
  await using channel = await transport.open("cat; exit 7", { isBulk: true });
  const { bytes, code } = await echoed(channel);
  assert.equal(bytes.length, MEGABYTES * 17 * 60_000);
  assert.deepEqual(code, { kind: "code", code: 7 });
}

function onlyNode({ nodes }: OpenSshLab): OpenSshNode {
  const [node] = nodes;
  assert.ok(node);
  return node;
}

/** As long as a busy machine may need for a login, which nobody waits for otherwise. */
async function loggedIn(node: OpenSshNode, count: number): Promise<void> {
  for (let tries = 0; node.acceptedLogins() < count && tries < 400; tries++) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  // Its shell has to say where it is.
  await new Promise((resolve) => setTimeout(resolve, 150));
}

testWith(
  ["sshd"],
  "what is large goes over a login of ssh itself, once it was expected",
  async () => {
    await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
    const node = onlyNode(lab);
    await using pool = createPool({ handshakes: 2 });
    const transport = pool.transport(node.endpoint);
    await echoOf(transport);
    assert.equal(node.acceptedLogins(), 1);
    transport.expectBulk?.();
    await loggedIn(node, 2);
    const before = transport.stats.bytesSent;
    await echoOf(transport);
    assert.ok(transport.stats.bytesSent - before > MEGABYTES * 1e6);
    assert.equal(node.acceptedLogins(), 2);
    assert.equal(transport.stats.handshakes, 2);
    // The next one is not expected, and goes the other way again.
    await echoOf(transport);
    assert.equal(node.acceptedLogins(), 2);
    // One that is never used leaves nothing behind.
    transport.expectBulk?.();
    await loggedIn(node, 3);
  },
);

testWith(
  ["sshd"],
  "a login that is still under way when all is closed leaves nothing",
  async () => {
    await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
    const node = onlyNode(lab);
    {
      await using pool = createPool({ handshakes: 2 });
      const transport = pool.transport(node.endpoint);
      await transport.exec(":");
      transport.expectBulk?.();
    }
    assert.deepEqual(lab.leftovers(), []);
  },
);

testWith(
  ["sshd"],
  "nobody is asked twice: not where an agent's key opened the connection",
  async () => {
    await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
    const node = onlyNode(lab);
    using agent = startAgent(lab.folder);
    agent.add(lab.keyFile);
    const env = { ...Deno.env.toObject(), SSH_AUTH_SOCK: agent.socket };
    await using pool = createPool({ handshakes: 2, env });
    const transport = pool.transport(node.endpoint);
    transport.expectBulk?.();
    await echoOf(transport);
    assert.equal(node.acceptedLogins(), 1);
  },
);

testWith(["sshd"], "where there is no ssh, all goes over Grid's own connection", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  const node = onlyNode(lab);
  await using pool = createPool({
    handshakes: 2,
    env: { ...Deno.env.toObject(), PATH: fileURLToPath(new URL(".", import.meta.url)) },
  });
  const transport = pool.transport(node.endpoint);
  await transport.exec(":");
  transport.expectBulk?.();
  await echoOf(transport);
  assert.equal(node.acceptedLogins(), 1);
});

testWith(["sshd"], "a login that leads to another machine is not used", async () => {
  await using lab = await startOpenSsh({ nodes: 2, gpus: 0 });
  const [here, elsewhere] = lab.nodes;
  assert.ok(here && elsewhere);
  await using pool = createPool({ handshakes: 2 });
  const transport = pool.transport(here.endpoint);
  const connector = new OpenSshConnector({
    handshakes: new Handshakes(1),
    env: Deno.env.toObject(),
  });
  const wayTo = (node: OpenSshNode) =>
    new BulkWay({
      node: node.name,
      connect: (request) => connector.connectBeside(node.endpoint, request),
      own: () => Promise.resolve({ keyFiles: [lab.keyFile] } as unknown as Link),
      exec: async (command) => (await transport.exec(command)).stdout,
      onBytes: () => {},
    });
  for (const [node, isUsed] of [[here, true], [elsewhere, false]] as const) {
    await using way = wayTo(node);
    const before = node.acceptedLogins();
    way.expect();
    await loggedIn(node, before + 1);
    await using channel = await way.open("exec cat", () => {});
    assert.equal(channel !== undefined, isUsed);
    if (channel) await echoed(channel);
  }
});

testWith(["sshd"], "a login of ssh itself that breaks is lost, as any connection is", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  const node = onlyNode(lab);
  await using pool = createPool({ handshakes: 2 });
  const transport = pool.transport(node.endpoint);
  await transport.exec(":");
  transport.expectBulk?.();
  await loggedIn(node, 2);
  await using channel = await transport.open("echo begun; cat", { isBulk: true });
  const reader = channel.stdout.getReader();
  await reader.read();
  assert.equal(node.acceptedLogins(), 2);
  await node.killDaemon();
  await assert.rejects(channel.exit, { code: "lost" });
  await assert.rejects(async () => {
    while (!(await reader.read()).done);
  });
});
