/** Many commands over few connections, whatever the server allows. */
import assert from "node:assert/strict";
import { startJob } from "../../../src/transport/job/job_start.ts";
import { createPool } from "../../../src/transport/pool.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { followAll, jobSpec } from "../../support/job_contract.ts";
import { startOpenSsh } from "../../support/openssh.ts";
import { testWith } from "../../support/requires.ts";
import { text } from "../../support/transport_contract.ts";

const NODES = 8;
const STEPS = 400;

for (const maxSessions of [10, 2, 1]) {
  testWith(
    ["sshd"],
    `${STEPS} short steps over ${NODES} nodes with MaxSessions ${maxSessions}`,
    async () => {
      await using lab = await startOpenSsh({
        nodes: NODES,
        sshdConfig: [`MaxSessions ${maxSessions}`],
      });
      await using pool = createPool({ handshakes: 10 });
      for (const { root } of lab.nodes) Deno.mkdirSync(root, { recursive: true });
      const steps = Array.from({ length: STEPS }, (_, index) => index);
      await Promise.all(steps.map(async (step) => {
        const node = lab.nodes[step % NODES];
        assert.ok(node);
        await runStep({ transport: pool.transport(node.endpoint), root: node.root }, step);
      }));
      for (const node of lab.nodes) {
        assert.ok(node.acceptedLogins() <= 2, `${node.name}: ${node.acceptedLogins()} logins`);
        assert.equal(pool.stats().get(node.name)?.handshakes, node.acceptedLogins());
      }
    },
  );
}

interface Place {
  readonly transport: Transport;
  readonly root: string;
}

/** What steps need of a transport: a question, a stream of its own, a job. */
async function runStep({ transport, root }: Place, step: number): Promise<void> {
  assert.equal((await transport.exec(`echo before ${step}`)).stdout, `before ${step}\n`);
  await using channel = await transport.open(`echo out ${step}; exit ${step % 7}`);
  const [output, exit] = await Promise.all([text(channel.stdout), channel.exit]);
  assert.equal(output, `out ${step}\n`);
  assert.deepEqual(exit, { kind: "code", code: step % 7 });
  const place = { transport, root, [Symbol.asyncDispose]: () => Promise.resolve() };
  const job = await startJob(
    transport,
    jobSpec(place, { command: `echo ${step}; exit ${step % 5}` }),
  );
  assert.deepEqual(await followAll(job), {
    exit: { kind: "code", code: step % 5 },
    stdout: `${step}\n`,
    stderr: "",
  });
}

testWith(["sshd"], "long streams never lock out short commands", async () => {
  await using lab = await startOpenSsh({ nodes: 1, sshdConfig: ["MaxSessions 2"] });
  await using pool = createPool({ handshakes: 10 });
  const [node] = lab.nodes;
  assert.ok(node);
  const transport = pool.transport(node.endpoint);
  const stop = new AbortController();
  const streams = Array.from({ length: 6 }, async () => {
    await using channel = await transport.open("exec sleep 60", { signal: stop.signal });
    await new Promise((resolve) => stop.signal.addEventListener("abort", resolve));
    assert.ok(channel);
  });
  for (let round = 0; round < 5; round++) {
    const answers = await Promise.all([1, 2, 3, 4].map((n) => transport.exec(`echo ${n}`)));
    assert.deepEqual(answers.map(({ stdout }) => Number(stdout)), [1, 2, 3, 4]);
  }
  stop.abort(new Error("enough"));
  await Promise.allSettled(streams);
});

testWith(
  ["sshd"],
  "a node whose start-up file sleeps pays for it once, not for every command",
  async () => {
    await using lab = await startOpenSsh({ nodes: 1 });
    await using pool = createPool({ handshakes: 10 });
    const [node] = lab.nodes;
    assert.ok(node);
    const transport = pool.transport(node.endpoint);
    await transport.exec(":");
    const channels = transport.stats.channels;
    for (let round = 0; round < 20; round++) await transport.exec(":");
    assert.equal(transport.stats.channels, channels, "20 commands, not one new login shell");
  },
);

testWith(["sshd"], "a crowd that MaxStartups turns away comes again, and all get in", async () => {
  await using lab = await startOpenSsh({ nodes: 1, sshdConfig: ["MaxStartups 2:60:4"] });
  const [node] = lab.nodes;
  assert.ok(node);
  // Every pool is a process of its own as far as the server can tell.
  const pools = Array.from({ length: 16 }, () => createPool({ handshakes: 10 }));
  try {
    const endpoint = { ...node.endpoint, maxRetries: 12 };
    const answers = await Promise.all(
      pools.map((pool) => pool.transport(endpoint).exec("echo in")),
    );
    assert.deepEqual(new Set(answers.map(({ stdout }) => stdout)), new Set(["in\n"]));
    assert.match(node.readLog(), /MaxStartups/, "the server did turn some away");
  } finally {
    await Promise.all(pools.map((pool) => pool[Symbol.asyncDispose]()));
  }
});

testWith(["sshd"], "a server without sessions is named, not waited for", async () => {
  await using lab = await startOpenSsh({ nodes: 1, sshdConfig: ["MaxSessions 0"] });
  await using pool = createPool({ handshakes: 10 });
  const [node] = lab.nodes;
  assert.ok(node);
  await assert.rejects(pool.transport(node.endpoint).exec("true"), /the server allows no session/);
});

testWith(["sshd"], "rekeying in the middle of a transfer changes no byte", async () => {
  await using lab = await startOpenSsh({ nodes: 1, sshdConfig: ["RekeyLimit 1M"] });
  await using pool = createPool({ handshakes: 10 });
  const [node] = lab.nodes;
  assert.ok(node);
  await using channel = await pool.transport(node.endpoint).open(
    "sha256sum; head -c 20000000 /dev/zero",
  );
  const writer = channel.stdin.getWriter();
  const sending = (async () => {
    for (let round = 0; round < 20; round++) await writer.write(new Uint8Array(1_000_000));
    await writer.close();
  })();
  const chunks: Uint8Array[] = [];
  for await (const chunk of channel.stdout) chunks.push(chunk);
  await sending;
  const received = await new Blob(chunks as BlobPart[]).bytes();
  const digest = await crypto.subtle.digest("SHA-256", new Uint8Array(20_000_000));
  const line = `${new Uint8Array(digest).toHex()}  -\n`;
  assert.equal(new TextDecoder().decode(received.subarray(0, line.length)), line);
  assert.equal(received.length, line.length + 20_000_000);
  assert.ok(received.subarray(line.length).every((byte) => byte === 0));
});

testWith(["sshd"], "rest(): connections without use are let go; what is used stays", async () => {
  await using lab = await startOpenSsh({ nodes: 1 });
  await using pool = createPool({ handshakes: 10 });
  const [node] = lab.nodes;
  assert.ok(node);
  const transport = pool.transport(node.endpoint);
  await transport.exec("true");
  await transport.rest?.();
  assert.match(node.readLog(), /Disconnected from/);
  assert.equal((await transport.exec("echo again")).stdout, "again\n");
  assert.equal(node.acceptedLogins(), 2);
  await using channel = await transport.open("read line; echo $line");
  await transport.rest?.();
  const writer = channel.stdin.getWriter();
  await writer.write(new TextEncoder().encode("still there\n"));
  assert.equal(await text(channel.stdout), "still there\n");
  assert.equal((await transport.exec("echo on the same")).stdout, "on the same\n");
  assert.equal(node.acceptedLogins(), 2);
});
