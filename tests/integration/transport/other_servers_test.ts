/** Servers that are not OpenSSH's, and servers that turn us away. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { createPool } from "../../../src/transport/pool.ts";
import type { Endpoint } from "../../../src/transport/transport.ts";
import { keepDiary } from "../../support/diary.ts";
import { startOpenSsh } from "../../support/openssh.ts";
import {
  type OtherServer,
  startAsyncSsh,
  startDropbear,
  startTinySsh,
} from "../../support/other_servers.ts";
import { type Part, testWith } from "../../support/requires.ts";
import { startSshServer } from "../../support/ssh_server.ts";
import { isGridError, text, waitUntil } from "../../support/transport_contract.ts";

interface ServerCase {
  readonly parts: readonly Part[];
  readonly start: () => OtherServer | Promise<OtherServer>;
  /** What Grid says on the way. */
  readonly says: RegExp | undefined;
}

const SERVERS: Readonly<Record<string, ServerCase>> = {
  AsyncSSH: { parts: ["sshd", "asyncssh"], start: startAsyncSsh, says: undefined },
  dropbear: { parts: ["sshd", "dropbear", "account"], start: startDropbear, says: undefined },
  // Debian's, of 2023: ChaCha20 alone, without strict key exchange.
  tinyssh: {
    parts: ["sshd", "tinyssh", "account"],
    start: startTinySsh,
    says: /reached with your own ssh: .*no matching/,
  },
};

for (const [name, { parts, start, says }] of Object.entries(SERVERS)) {
  for (const transport of ["ssh", "openssh"] as const) {
    testWith(parts, `${name}, by ${transport}: commands, streams and many at once`, async () => {
      await using server = await start();
      using diary = keepDiary();
      await useIt({ ...server.endpoint, transport });
      if (says && transport === "ssh") assert.match(diary.lines.join(), says);
      assert.equal(diary.lines.length, says && transport === "ssh" ? 1 : 0, diary.lines.join("\n"));
    });
  }
}

testWith(
  ["sshd", "tinyssh", "account"],
  "ChaCha20 with a server that does no strict key exchange is refused, and named",
  async () => {
    await using server = await startTinySsh();
    // Else the ssh program would be asked.
    await using pool = createPool({ handshakes: 1, env: { PATH: "/nonexistent" } });
    await assert.rejects(pool.transport(server.endpoint).exec("true"), (error) => {
      isGridError("algorithm")(error);
      assert.match(String(error), /ChaCha20, is safe only with strict key exchange/);
      assert.match((error as { hint: string }).hint, /install OpenSSH/);
      return true;
    });
  },
);

async function useIt(endpoint: Endpoint): Promise<void> {
  await using pool = createPool({ handshakes: 2 });
  const node = pool.transport(endpoint);
  assert.deepEqual(await node.exec("echo out; echo err >&2; exit 3"), {
    code: 3,
    stdout: "out\n",
    stderr: "err\n",
    cut: false,
  });
  const sent = new Uint8Array(randomBytes(300_000));
  await using channel = await node.open("cat");
  const writer = channel.stdin.getWriter();
  const answer = new Response(channel.stdout as ReadableStream<Uint8Array<ArrayBuffer>>)
    .arrayBuffer();
  await writer.write(sent);
  await writer.close();
  assert.deepEqual(new Uint8Array(await answer), sent);
  const many = Array.from({ length: 12 }, (_, index) => node.exec(`echo ${index}`));
  assert.deepEqual(
    (await Promise.all(many)).map(({ stdout }) => stdout),
    many.map((_, index) => `${index}\n`),
  );
}

testWith(
  ["sshd", "asyncssh"],
  "the round trip is measured where no forward may be ended",
  async () => {
    await using server = await startAsyncSsh();
    await using pool = createPool({ handshakes: 1 });
    const node = pool.transport(server.endpoint);
    await node.exec("true");
    await waitUntil(() => node.stats.roundTripMs !== undefined);
    assert.equal((await node.exec("echo in")).stdout, "in\n");
    assert.equal(node.stats.reconnects, 0);
  },
);

Deno.test("a server of one session per connection has no more room, and gets a second one", async () => {
  await using server = await startSshServer({ maxSessions: 1 });
  await using pool = createPool({ handshakes: 1 });
  const node = pool.transport(server.endpoint);
  await node.exec("true");
  await using channel = await node.open("echo in");
  assert.equal(await text(channel.stdout), "in\n");
  assert.equal(server.log.filter((line) => line === "login").length, 2);
});

for (const transport of ["ssh", "openssh"] as const) {
  testWith(["sshd"], `a penalty is told, by ${transport}`, async () => {
    // As OpenSSH 9.8 and later speak to an address that they have had enough of.
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const work = (async () => {
      for await (const connection of listener) {
        await connection.write(new TextEncoder().encode("Not allowed at this time\r\n"));
        connection.close();
      }
    })();
    await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
    const [node] = lab.nodes;
    assert.ok(node);
    await using pool = createPool({ handshakes: 1 });
    const endpoint = {
      ...node.endpoint,
      transport,
      host: "127.0.0.1",
      port: listener.addr.port,
      maxRetries: 0,
    };
    await assert.rejects(pool.transport(endpoint).exec("true"), (error) => {
      isGridError("penalty")(error);
      assert.match(String(error), /PerSourcePenalties/);
      return true;
    });
    listener.close();
    await work;
  });

  testWith(["sshd"], `too many logins under way are told, by ${transport}`, async () => {
    await using lab = await startOpenSsh({ nodes: 1, gpus: 0, sshdConfig: ["MaxStartups 1"] });
    const [node] = lab.nodes;
    assert.ok(node);
    // Somebody who connects and says nothing.
    using _silent = await Deno.connect({ hostname: node.host, port: node.port });
    await using pool = createPool({ handshakes: 1 });
    const endpoint = { ...node.endpoint, transport, maxRetries: 0 };
    await assert.rejects(pool.transport(endpoint).exec("true"), (error) => {
      isGridError("banner")(error);
      assert.match(String(error), /MaxStartups/);
      return true;
    });
  });

  testWith(["sshd"], `a login that takes too long names the setting, by ${transport}`, async () => {
    // It greets, and then says nothing more.
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const held: Deno.Conn[] = [];
    const work = (async () => {
      for await (const connection of listener) {
        held.push(connection);
        await connection.write(new TextEncoder().encode("SSH-2.0-slow\r\n"));
      }
    })();
    await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
    const [node] = lab.nodes;
    assert.ok(node);
    await using pool = createPool({ handshakes: 1 });
    const { port } = listener.addr;
    const endpoint = {
      ...node.endpoint,
      transport,
      host: "127.0.0.1",
      port,
      connectTimeoutMs: 1000,
      maxRetries: 0,
    };
    await assert.rejects(pool.transport(endpoint).exec("true"), (error) => {
      isGridError("kex")(error);
      assert.match((error as { hint: string }).hint, /connect_timeout: 4/);
      return true;
    });
    for (const connection of held) connection.close();
    listener.close();
    await work;
  });
}
