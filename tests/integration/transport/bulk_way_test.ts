import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Handshakes } from "../../../src/transport/handshakes.ts";
import { OpenSshConnector } from "../../../src/transport/openssh/connector.ts";
import { createPool } from "../../../src/transport/pool.ts";
import { BulkWay } from "../../../src/transport/ssh/bulk_way.ts";
import type { Link } from "../../../src/transport/ssh/link.ts";
import type { Channel, Transport } from "../../../src/transport/transport.ts";
import { startAgent } from "../../support/agent.ts";
import {
  knownHostsLine,
  type OpenSshLab,
  type OpenSshNode,
  startOpenSsh,
} from "../../support/openssh.ts";
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
    assert.ok(await transport.expectBulk?.());
    const before = transport.stats.bytesSent;
    await echoOf(transport);
    assert.ok(transport.stats.bytesSent - before > MEGABYTES * 1e6);
    assert.equal(node.acceptedLogins(), 2);
    assert.equal(transport.stats.handshakes, 2);
    // The next one is not expected, and goes the other way again.
    await echoOf(transport);
    assert.equal(node.acceptedLogins(), 2);
    // One that is never used leaves nothing behind.
    assert.ok(await transport.expectBulk?.());
    assert.equal(node.acceptedLogins(), 3);
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
      void transport.expectBulk?.();
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
    assert.equal(await transport.expectBulk?.(), false);
    await echoOf(transport);
    assert.equal(node.acceptedLogins(), 1);
  },
);

interface Trouble {
  readonly sshd?: readonly string[];
  /** Of the user, for every host. */
  readonly config?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** By way of the other node. */
  readonly jumps?: boolean;
  /** Done when the first login stands. */
  readonly spoil?: (lab: OpenSshLab) => undefined | Promise<Disposable>;
  /** Whether the other login is used all the same. */
  readonly isUsed: boolean;
}

/** What is large arrives whole with each of them, by the one way or the other. */
const TROUBLES: Readonly<Record<string, Trouble>> = {
  "no ssh": { env: { PATH: fileURLToPath(new URL(".", import.meta.url)) }, isUsed: false },
  "a key that needs a passphrase by now": {
    spoil: ({ keyFile }) => keygen(["-p", "-q", "-f", keyFile, "-P", "", "-N", "secret"]),
    isUsed: false,
  },
  "a key that opens nothing any more": {
    spoil: ({ keyFile }) => void Deno.removeSync(`${keyFile}.pub`),
    isUsed: false,
  },
  "one session for each connection": { sshd: ["MaxSessions 1"], isUsed: true },
  "a crowd at the door": {
    sshd: ["MaxStartups 1"],
    spoil: async (lab) => {
      const { host: hostname, port } = onlyNode(lab);
      const other = await Deno.connect({ hostname, port });
      // It has begun to talk to this one.
      await other.read(new Uint8Array(1));
      return other;
    },
    isUsed: false,
  },
  "a configuration for a person's own sessions": {
    config: [
      "RemoteCommand echo mine",
      "RequestTTY force",
      "ControlMaster auto",
      "ControlPath <folder>/%C",
      "ControlPersist 60",
      "ForkAfterAuthentication yes",
      "SessionType none",
      "StdinNull yes",
      "LocalForward 127.0.0.1:1 127.0.0.1:1",
      "ExitOnForwardFailure yes",
    ],
    isUsed: true,
  },
  "a jump host": { jumps: true, isUsed: true },
};

for (const [name, { sshd, config = [], env, jumps, spoil, isUsed }] of Object.entries(TROUBLES)) {
  testWith(["sshd"], `what is large arrives with ${name}`, async () => {
    await using lab = await startOpenSsh({ nodes: 2, gpus: 0, sshdConfig: sshd ?? [] });
    const [node, jump] = lab.nodes;
    assert.ok(node && jump);
    const sshConfig = join(lab.folder, "ssh_config");
    const lines = ["Host *", ...config.map((line) => line.replace("<folder>", lab.folder))];
    Deno.writeTextFileSync(sshConfig, lines.join("\n"));
    await using pool = createPool({
      handshakes: 2,
      sshConfig,
      env: { ...Deno.env.toObject(), ...env },
    });
    const { user, host, port } = jump.endpoint;
    const proxyJump = jumps ? `${user}@${host}:${port}` : undefined;
    const transport = pool.transport({ ...node.endpoint, proxyJump });
    await transport.exec(":");
    using _held = await spoil?.(lab);
    assert.equal(await transport.expectBulk?.(), isUsed);
    await echoOf(transport);
    assert.equal(transport.stats.handshakes, isUsed ? 2 : 1);
  });
}

testWith(
  ["sshd"],
  "a host key that has changed since the first login is no small thing",
  async () => {
    await using lab = await startOpenSsh({ nodes: 2, gpus: 0 });
    const [node, other] = lab.nodes;
    assert.ok(node && other);
    await using pool = createPool({ handshakes: 2 });
    const transport = pool.transport(node.endpoint);
    await transport.exec(":");
    Deno.writeTextFileSync(lab.knownHosts, knownHostsLine(node, other.hostKeyFile));
    assert.equal(await transport.expectBulk?.(), true);
    for (let tries = 0; tries < 2; tries++) {
      await assert.rejects(transport.open("cat", { isBulk: true }), {
        code: "host-key",
        message: /at a second login it showed another host key than at the first/,
      });
    }
    assert.equal(node.acceptedLogins(), 1);
  },
);

function keygen(args: readonly string[]): undefined {
  const { success } = new Deno.Command("ssh-keygen", { args: [...args] }).outputSync();
  assert.ok(success);
}

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
    assert.equal(await way.expect(), isUsed);
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
  assert.ok(await transport.expectBulk?.());
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
