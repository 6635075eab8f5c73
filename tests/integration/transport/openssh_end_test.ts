/** The system's own `ssh` as a child: one login, many channels, and nothing left when it is over. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { createPool } from "../../../src/transport/pool.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { startFaultProxy } from "../../support/fault_proxy.ts";
import { type OpenSshLab, startOpenSsh } from "../../support/openssh.ts";
import { allProcesses, descendantsOf } from "../../support/processes.ts";
import { testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { isGridError, text, waitUntil } from "../../support/transport_contract.ts";

const HOLDER = fileURLToPath(new URL("../../support/connection_holder.ts", import.meta.url));

/** The first node, by `openssh`. */
function endpointIn(lab: OpenSshLab) {
  const [node] = lab.nodes;
  assert.ok(node);
  return { node, endpoint: { ...node.endpoint, transport: "openssh" as const } };
}

/** Every client process of a lab: its folder or its socket stands on the command line. */
function clients(folder: string): string[] {
  return allProcesses().map(({ command }) => command)
    .filter((command) => command.includes(`${folder}/grid-ssh-`));
}

testWith(["sshd"], "openssh logs in once per run, and counts what it does", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  const { node, endpoint } = endpointIn(lab);
  await using pool = createPool({ handshakes: 10 });
  const transport = pool.transport(endpoint);
  for (let round = 0; round < 5; round++) await transport.exec(":");
  await using channel = await transport.open("cat; head -c 100000 /dev/zero");
  const writer = channel.stdin.getWriter();
  await writer.write(new Uint8Array(50_000));
  await writer.close();
  assert.equal((await new Response(channel.stdout).bytes()).length, 150_000);
  assert.equal(node.acceptedLogins(), 1);
  const { handshakes, channels, reconnects, bytesSent, bytesReceived } = transport.stats;
  assert.deepEqual({ handshakes, channels, reconnects }, {
    handshakes: 1,
    channels: 2,
    reconnects: 0,
  });
  assert.ok(bytesSent > 50_000 && bytesReceived > 150_000);
});

for (const maxSessions of [10, 2, 1]) {
  testWith(["sshd"], `60 steps by openssh with MaxSessions ${maxSessions}`, async () => {
    await using lab = await startOpenSsh({
      nodes: 2,
      gpus: 0,
      sshdConfig: [`MaxSessions ${maxSessions}`],
    });
    await using pool = createPool({ handshakes: 10 });
    const steps = Array.from({ length: 60 }, (_, index) => index);
    await Promise.all(steps.map(async (step) => {
      const node = lab.nodes[step % 2];
      assert.ok(node);
      await runStep(pool.transport({ ...node.endpoint, transport: "openssh" }), step);
    }));
    for (const node of lab.nodes) {
      assert.ok(node.acceptedLogins() <= 2, `${node.name}: ${node.acceptedLogins()} logins`);
      assert.equal(pool.stats().get(node.name)?.handshakes, node.acceptedLogins());
    }
  });
}

async function runStep(transport: Transport, step: number): Promise<void> {
  assert.equal((await transport.exec(`echo before ${step}`)).stdout, `before ${step}\n`);
  await using channel = await transport.open(`echo out ${step}; exit ${step % 7}`);
  const [output, exit] = await Promise.all([text(channel.stdout), channel.exit]);
  assert.equal(output, `out ${step}\n`);
  assert.deepEqual(exit, { kind: "code", code: step % 7 });
}

testWith(["sshd"], "long streams by openssh never lock out short commands", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0, sshdConfig: ["MaxSessions 2"] });
  const { endpoint } = endpointIn(lab);
  await using pool = createPool({ handshakes: 10 });
  const transport = pool.transport(endpoint);
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

testWith(["sshd"], "a crowd by openssh that MaxStartups turns away comes again", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0, sshdConfig: ["MaxStartups 2:60:4"] });
  const { node, endpoint } = endpointIn(lab);
  const pools = Array.from({ length: 10 }, () => createPool({ handshakes: 10 }));
  try {
    const patient = { ...endpoint, maxRetries: 12, connectTimeoutMs: 20_000 };
    const answers = await Promise.all(pools.map((pool) => pool.transport(patient).exec("echo in")));
    assert.deepEqual(new Set(answers.map(({ stdout }) => stdout)), new Set(["in\n"]));
    assert.match(node.readLog(), /MaxStartups/, "the server did turn some away");
  } finally {
    await Promise.all(pools.map((pool) => pool[Symbol.asyncDispose]()));
  }
});

testWith(["sshd"], "a server without sessions is named by openssh too", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0, sshdConfig: ["MaxSessions 0"] });
  await using pool = createPool({ handshakes: 10 });
  const { endpoint } = endpointIn(lab);
  await assert.rejects(pool.transport(endpoint).exec("true"), /the server allows no session/);
});

testWith(["sshd"], "a command's 255 is its own, and a lost connection is lost", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  const { node, endpoint } = endpointIn(lab);
  await using pool = createPool({ handshakes: 10 });
  const transport = pool.transport(endpoint);
  await using own = await transport.open("echo own >&2; exit 255");
  assert.equal(await text(own.stderr), "own\n", "no word of ssh's among the command's");
  assert.deepEqual(await own.exit, { kind: "code", code: 255 });
  await using cut = await transport.open("echo begun; exec sleep 60");
  const reader = cut.stdout.getReader();
  await reader.read();
  for (const { pid, command } of descendantsOf(node.pid())) {
    if (/^sshd: /.test(command)) Deno.kill(pid, "SIGKILL");
  }
  await assert.rejects(reader.read(), isGridError("lost"));
  await assert.rejects(cut.exit, isGridError("lost"));
  assert.equal((await transport.exec("echo back")).stdout, "back\n");
  assert.equal(transport.stats.reconnects, 1);
});

testWith(["sshd"], "openssh finds out that a link has gone silent", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  const { node, endpoint } = endpointIn(lab);
  await using proxy = await startFaultProxy(node);
  const [, ...key] = Deno.readTextFileSync(lab.knownHosts).trim().split(" ");
  const knownHosts = `${lab.folder}/known_hosts_proxy`;
  Deno.writeTextFileSync(knownHosts, `[${proxy.host}]:${proxy.port} ${key.join(" ")}\n`);
  const impatient = { connectTimeoutMs: 3000, commandTimeoutMs: 1000, keepaliveMs: 1000 };
  await using pool = createPool({ handshakes: 1 });
  const { host, port } = proxy;
  const transport = pool.transport({ ...endpoint, host, port, knownHosts, ...impatient });
  await transport.exec(":");
  proxy.set({ kind: "swallow" });
  await assert.rejects(transport.exec("echo lost"), isGridError("lost"));
  proxy.set({ kind: "silent" });
  await assert.rejects(transport.exec("echo lost"), isGridError("banner"));
});

testWith(["sshd"], "openssh opens a jump host with the node's own key and trust", async () => {
  await using lab = await startOpenSsh({ nodes: 3, gpus: 0 });
  await using pool = createPool({ handshakes: 1 });
  const [first, second, target] = lab.nodes;
  assert.ok(first && second && target);
  const proxyJump = [first, second].map(({ host, port, endpoint }) =>
    `${endpoint.user}@${host}:${port}`
  ).join(",");
  const endpoint = { ...target.endpoint, proxyJump, transport: "openssh" as const };
  assert.equal((await pool.transport(endpoint).exec("echo $HOME")).stdout, `${target.home}\n`);
  const lines = Deno.readTextFileSync(lab.knownHosts).trim().split("\n");
  const knownHosts = `${lab.folder}/without_first`;
  Deno.writeTextFileSync(knownHosts, lines.slice(1).join("\n") + "\n");
  await using other = createPool({ handshakes: 1 });
  await assert.rejects(other.transport({ ...endpoint, knownHosts }).exec("true"), (error) => {
    isGridError("host-key")(error);
    assert.match(String(error), /jump host .*127\.0\.0\.2/);
    return true;
  });
  await target.stop();
  await using third = createPool({ handshakes: 1 });
  await assert.rejects(third.transport(endpoint).exec("true"), isGridError("tcp"));
});

testWith(["sshd"], "after the end no process of ssh is left, nor its folder", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  using dir = tempDir();
  const { endpoint } = endpointIn(lab);
  await using holder = hold({ endpoint, folder: dir.path });
  await holder.ready;
  assert.ok(clients(dir.path).length >= 2, "a master and a channel");
  holder.child.kill("SIGTERM");
  await holder.child.status;
  assert.deepEqual(clients(dir.path), []);
  assert.deepEqual([...Deno.readDirSync(dir.path)], []);
});

testWith(["sshd"], "a runner that was killed leaves no process of ssh either", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  using dir = tempDir();
  const { endpoint } = endpointIn(lab);
  await using holder = hold({ endpoint, folder: dir.path });
  await holder.ready;
  assert.ok(clients(dir.path).length >= 2, "a master and a channel");
  holder.child.kill("SIGKILL");
  await holder.child.status;
  await waitUntil(() => clients(dir.path).length === 0);
  await waitUntil(() => [...Deno.readDirSync(dir.path)].length === 0);
});

testWith(["sshd"], "an ssh that is killed while it logs in is told as that", async () => {
  using silent = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  const { endpoint } = endpointIn(lab);
  await using pool = createPool({ handshakes: 10 });
  const transport = pool.transport({ ...endpoint, host: "127.0.0.1", port: silent.addr.port });
  const isOurs = ({ command }: { readonly command: string }) =>
    /^ssh -F \S+ -M /.test(command) && command.includes("/grid-ssh-");
  const failing = assert.rejects(transport.exec(":"), (error) => {
    assert.ok(isGridError("lost")(error));
    assert.match(String(error), /ssh was killed on this machine by SIGTERM/);
    return true;
  });
  using _taken = await silent.accept();
  const [master] = descendantsOf(Deno.pid).filter(isOurs);
  assert.ok(master, "a master");
  Deno.kill(master.pid, "SIGTERM");
  await failing;
});

/** A runner of its own that holds a connection and a channel until it is told to stop. */
function hold({ endpoint, folder }: { readonly endpoint: unknown; readonly folder: string }) {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", HOLDER, JSON.stringify(endpoint)],
    env: { TMPDIR: folder },
    stdin: "null",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  return {
    child,
    ready: reader.read().then(({ value }) => assert.ok(value, "it did not come up")),
    [Symbol.asyncDispose]: async () => {
      await reader.cancel();
      await child.status;
    },
  };
}
