/** Whatever goes wrong on the way: named by its class, within its deadline, and over when it is over. */
import assert from "node:assert/strict";
import { createPool } from "../../../src/transport/pool.ts";
import type { Endpoint } from "../../../src/transport/transport.ts";
import { type FaultProxy, startFaultProxy } from "../../support/fault_proxy.ts";
import { type OpenSshLab, type OpenSshNode, startOpenSsh } from "../../support/openssh.ts";
import { descendantsOf } from "../../support/processes.ts";
import { testWith } from "../../support/requires.ts";
import { isGridError } from "../../support/transport_contract.ts";

interface Rig extends AsyncDisposable {
  readonly lab: OpenSshLab;
  readonly node: OpenSshNode;
  readonly proxy: FaultProxy;
  /** The first node through the proxy, with short deadlines. */
  readonly endpoint: Endpoint;
}

async function faultRig(): Promise<Rig> {
  const lab = await startOpenSsh({ nodes: 2 });
  const [node] = lab.nodes;
  assert.ok(node);
  const proxy = await startFaultProxy(node);
  const line = Deno.readTextFileSync(lab.knownHosts).split("\n")[0]?.split(" ").slice(1).join(" ");
  const knownHosts = `${lab.folder}/known_hosts_proxy`;
  Deno.writeTextFileSync(knownHosts, `[${proxy.host}]:${proxy.port} ${line}\n`);
  return {
    lab,
    node,
    proxy,
    endpoint: {
      ...node.endpoint,
      host: proxy.host,
      port: proxy.port,
      knownHosts,
      connectTimeoutMs: 700,
      commandTimeoutMs: 700,
      keepaliveMs: 300,
    },
    [Symbol.asyncDispose]: async () => {
      await proxy[Symbol.asyncDispose]();
      await lab[Symbol.asyncDispose]();
    },
  };
}

function faultTest(name: string, run: (rig: Rig) => Promise<void>): void {
  testWith(["sshd"], name, async () => {
    await using rig = await faultRig();
    await run(rig);
  });
}

faultTest(
  "a node that accepts connections and says nothing is a banner problem; others go on",
  async (rig) => {
    rig.proxy.set({ kind: "silent" });
    await using pool = createPool({ handshakes: 2 });
    const other = rig.lab.nodes[1];
    assert.ok(other);
    const [silent, good] = await Promise.allSettled([
      pool.transport(rig.endpoint).exec("true"),
      pool.transport(other.endpoint).exec("echo fine"),
    ]);
    assert.ok(silent.status === "rejected" && isGridError("banner")(silent.reason));
    assert.match(String(silent.reason), /sent no SSH banner within 700 ms/);
    assert.equal(good.status === "fulfilled" && good.value.stdout, "fine\n");
  },
);

faultTest("a banner that comes byte by byte ends at the deadline", async (rig) => {
  rig.proxy.set({ kind: "slow", bytesPerSecond: 20 });
  await using pool = createPool({ handshakes: 2 });
  await assert.rejects(pool.transport(rig.endpoint).exec("true"), (error) => {
    assert.match(String((error as { code?: string }).code), /^(banner|kex)$/);
    return true;
  });
});

faultTest("a reset during the handshake is a banner or kex problem", async (rig) => {
  rig.proxy.set({ kind: "reset", afterBytes: 100 });
  await using pool = createPool({ handshakes: 2 });
  await assert.rejects(
    pool.transport({ ...rig.endpoint, maxRetries: 0 }).exec("true"),
    (error) => /^(banner|kex)$/.test(String((error as { code?: string }).code)),
  );
});

faultTest(
  "a reset in the middle of a stream is a lost link, and the next command reconnects",
  async (rig) => {
    await using pool = createPool({ handshakes: 2 });
    const transport = pool.transport(rig.endpoint);
    await transport.exec(":");
    await using channel = await transport.open("head -c 100000000 /dev/zero");
    rig.proxy.set({ kind: "reset", afterBytes: 1_000_000 });
    await assert.rejects(new Response(channel.stdout).bytes(), isGridError("lost"));
    await assert.rejects(channel.exit, isGridError("lost"));
    rig.proxy.set({ kind: "none" });
    assert.equal((await transport.exec("echo back")).stdout, "back\n");
    assert.equal(transport.stats.reconnects, 1);
    assert.equal(rig.node.acceptedLogins(), 2);
  },
);

for (const kind of ["swallow", "stall"] as const) {
  faultTest(
    `a link that begins to ${kind} is lost within the deadline, and comes back`,
    async (rig) => {
      await using pool = createPool({ handshakes: 2 });
      const transport = pool.transport(rig.endpoint);
      await using channel = await transport.open("echo ready; sleep 60");
      const reader = channel.stdout.getReader();
      await reader.read();
      await transport.exec(":");
      rig.proxy.set({ kind });
      // Keep-alive finds out for whoever only listens, and a probe for whoever asks.
      const listening = assert.rejects(reader.read(), isGridError("lost"));
      await assert.rejects(transport.exec("echo lost"), isGridError("lost"));
      await listening;
      rig.proxy.set({ kind: "none" });
      assert.equal((await transport.exec("echo back")).stdout, "back\n");
    },
  );
}

faultTest(
  "a stopped sshd is lost within the deadline; the other node is not slowed",
  async (rig) => {
    await using pool = createPool({ handshakes: 2 });
    const transport = pool.transport(rig.endpoint);
    await transport.exec(":");
    const daemons = descendantsOf(rig.node.pid()).filter(({ command }) => /sshd/.test(command));
    for (const { pid } of daemons) Deno.kill(pid, "SIGSTOP");
    try {
      const other = rig.lab.nodes[1];
      assert.ok(other);
      const stopped = assert.rejects(transport.exec("true"), isGridError("lost"));
      assert.equal((await pool.transport(other.endpoint).exec("echo fine")).stdout, "fine\n");
      await stopped;
    } finally {
      for (const { pid } of daemons) Deno.kill(pid, "SIGCONT");
    }
    assert.equal((await transport.exec("echo back")).stdout, "back\n");
  },
);

faultTest("a node that is off is named, and found again when it is back", async (rig) => {
  await using pool = createPool({ handshakes: 2 });
  const transport = pool.transport(rig.node.endpoint);
  assert.equal((await transport.exec("echo up")).stdout, "up\n");
  await rig.node.stop();
  await assert.rejects(
    transport.exec("true"),
    (error) => /^(lost|tcp)$/.test(String((error as { code?: string }).code)),
  );
  await assert.rejects(transport.exec("true"), isGridError("tcp"));
  await rig.node.start();
  // The breaker holds for a second after the first refusal.
  const deadline = Date.now() + 10_000;
  for (;;) {
    const answer = await transport.exec("echo up").catch(() => undefined);
    if (answer) break;
    assert.ok(Date.now() < deadline, "it never came back");
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
});

faultTest("20 ms each way and 64 kB/s are slow, not broken", async (rig) => {
  await using pool = createPool({ handshakes: 2 });
  const patient = {
    ...rig.endpoint,
    connectTimeoutMs: 5000,
    commandTimeoutMs: 5000,
    keepaliveMs: 5000,
  };
  const transport = pool.transport(patient);
  rig.proxy.set({ kind: "delay", ms: 10 });
  assert.equal((await transport.exec("echo far")).stdout, "far\n");
  assert.ok((transport.stats.roundTripMs ?? 0) >= 19, "the round trip is measured");
  rig.proxy.set({ kind: "slow", bytesPerSecond: 64_000 });
  await using channel = await transport.open("head -c 64000 /dev/zero");
  assert.equal((await new Response(channel.stdout).bytes()).length, 64_000);
});

testWith(["sshd"], "every way not to get there has its class and a hint", async () => {
  await using lab = await startOpenSsh({ nodes: 1 });
  await using pool = createPool({ handshakes: 2 });
  const [node] = lab.nodes;
  assert.ok(node);
  const { endpoint } = node;
  const cases: [Partial<Endpoint>, "dns" | "tcp" | "banner"][] = [
    [{ host: "no-such-host.invalid" }, "dns"],
    [{ port: 1 }, "tcp"],
  ];
  for (const [change, code] of cases) {
    await assert.rejects(pool.transport({ ...endpoint, ...change }).exec("true"), (error) => {
      isGridError(code)(error);
      assert.ok((error as { hint?: string }).hint);
      assert.match(String(error), /Cannot connect to "node1"/);
      return true;
    });
  }
});

Deno.test("something that speaks no SSH is named as such", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const serving = (async () => {
    for await (const connection of listener) {
      await connection.write(new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"));
      connection.close();
    }
  })();
  await using pool = createPool({ handshakes: 2 });
  const endpoint: Endpoint = {
    name: "web",
    transport: "ssh",
    host: "127.0.0.1",
    port: listener.addr.port,
    user: "nobody",
    keyFile: "/nowhere",
    knownHosts: "/nowhere",
    proxyJump: undefined,
    connectTimeoutMs: 2000,
    commandTimeoutMs: 2000,
    keepaliveMs: 0,
    maxRetries: 1,
  };
  await assert.rejects(pool.transport(endpoint).exec("true"), isGridError("banner"));
  listener.close();
  await serving;
});
