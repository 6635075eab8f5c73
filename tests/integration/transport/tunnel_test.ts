/** Tunnels over real servers: those that forbid forwarding, and links that break. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { GridError } from "../../../src/core/errors.ts";
import { createPool } from "../../../src/transport/pool.ts";
import { dialFrom, openTunnel } from "../../../src/transport/tunnel.ts";
import { startFaultProxy } from "../../support/fault_proxy.ts";
import { freePort } from "../../support/free_port.ts";
import { waitFor } from "../../support/job_contract.ts";
import { knownHostsLine, startOpenSsh } from "../../support/openssh.ts";
import { testWith } from "../../support/requires.ts";
import { writeProgram } from "../../support/program_file.ts";

const HOST = "127.0.0.1";
/** More than any buffer on the way holds. */
const SENT = Uint8Array.from({ length: 600_000 }, (_, index) => (index * 13 + index / 501) % 256);

/** Gives back what it is sent, and ends when no more comes. */
function startEcho(): { readonly port: number } & AsyncDisposable {
  const listener = Deno.listen({ hostname: HOST, port: 0 });
  const serving = (async () => {
    for await (const connection of listener) void echo(connection);
  })();
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await serving;
    },
  };
}

async function echo(connection: Deno.TcpConn): Promise<void> {
  using own = connection;
  const buffer = new Uint8Array(65_536);
  try {
    for (let count = await own.read(buffer); count !== null; count = await own.read(buffer)) {
      for (let at = 0; at < count;) at += await own.write(buffer.subarray(at, count));
    }
  } catch (error) {
    if (
      !(error instanceof Deno.errors.ConnectionReset || error instanceof Deno.errors.BrokenPipe)
    ) {
      throw error;
    }
  }
}

async function echoed(port: number): Promise<Uint8Array> {
  using connection = await Deno.connect({ hostname: HOST, port });
  const sending = (async () => {
    for (let at = 0; at < SENT.length;) at += await connection.write(SENT.subarray(at));
    await connection.closeWrite();
  })();
  const got = new Uint8Array(SENT.length + 1);
  let count = 0;
  for (let read: number | null = 0; read !== null && count < got.length; count += read ?? 0) {
    read = await connection.read(got.subarray(count));
  }
  await sending;
  return got.subarray(0, count);
}

testWith(
  ["sshd", "python3", "perl", "bash", "busybox"],
  "where a server forbids forwarding, what a node has carries a tunnel",
  async () => {
    await using lab = await startOpenSsh({
      nodes: 1,
      gpus: 0,
      sshdConfig: ["AllowTcpForwarding no"],
    });
    await using pool = createPool({ handshakes: 4 });
    await using echo = startEcho();
    const [node] = lab.nodes;
    assert.ok(node);
    Deno.writeTextFileSync(join(node.home, ".bashrc"), "echo Welcome\n");
    const bin = join(node.root, "grid_env/bin");
    Deno.mkdirSync(bin, { recursive: true });
    const stub = (name: string, text: string) =>
      writeProgram(join(bin, name), `#!/bin/sh\n${text}\n`);
    for (const transport of ["ssh", "openssh"] as const) {
      Deno.removeSync(bin, { recursive: true });
      Deno.mkdirSync(bin);
      const place = {
        transport: pool.transport({ ...node.endpoint, name: `${transport}1`, transport }),
        root: node.root,
      };
      const missing = freePort();
      // Each that is spoilt leaves the next one.
      for (const [spoilt, tool] of [["", "python3"], ["python3", "perl"]]) {
        if (spoilt) stub(spoilt, "exit 1");
        const problems: unknown[] = [];
        await using tunnel = openTunnel(place, { host: HOST, port: echo.port }, {
          onProblem: (error) => problems.push(error),
        });
        assert.deepEqual(await echoed(tunnel.port), SENT, tool);
        assert.deepEqual(problems, [], tool);
        await refused(place, missing, /Connection refused$/);
      }
      stub("perl", "exit 1");
      await answersAtOnce(place, echo.port);
      await refused(place, missing, /refused/);
      stub("bash", "exit 1");
      stub("nc", 'exec busybox nc "$@"');
      await answersAtOnce(place, echo.port);
      stub("nc", "exit 1");
      await refused(place, echo.port, /its server forbids forwarding$/, /AllowTcpForwarding local/);
    }
  },
);

type Place = Parameters<typeof dialFrom>[0];

/** Some cannot tell a server that no more comes. */
async function answersAtOnce(place: Place, port: number): Promise<void> {
  await using dialed = await dialFrom(place, { host: HOST, port }, signal());
  const writer = dialed.writable.getWriter();
  const reader = dialed.readable.getReader();
  for (const words of ["first\n", "second\n"]) {
    await writer.write(new TextEncoder().encode(words));
    let got = "";
    while (got.length < words.length) got += new TextDecoder().decode((await reader.read()).value);
    assert.equal(got, words);
  }
}

async function refused(
  place: Place,
  port: number,
  message: RegExp,
  hint = /is it up/,
): Promise<void> {
  await assert.rejects(dialFrom(place, { host: HOST, port }, signal()), (error) => {
    assert.ok(error instanceof GridError, `${error}`);
    assert.match(error.message, message);
    assert.match(error.hint ?? "", hint);
    return true;
  });
}

function signal(): AbortSignal {
  return new AbortController().signal;
}

testWith(
  ["sshd", "python3"],
  "a link that breaks ends the connections of a tunnel, which carries new ones",
  async () => {
    for (const forwarding of ["yes", "no"]) {
      await using lab = await startOpenSsh({
        nodes: 1,
        gpus: 0,
        sshdConfig: [`AllowTcpForwarding ${forwarding}`],
      });
      const [node] = lab.nodes;
      assert.ok(node);
      await using link = await startFaultProxy(node);
      Deno.writeTextFileSync(lab.knownHosts, knownHostsLine(link, node.hostKeyFile));
      await using echo = startEcho();
      for (const transport of ["ssh", "openssh"] as const) {
        await using pool = createPool({ handshakes: 4 });
        const endpoint = { ...node.endpoint, host: link.host, port: link.port, transport };
        const place = { transport: pool.transport(endpoint), root: node.root };
        const problems: unknown[] = [];
        await using tunnel = openTunnel(place, { host: HOST, port: echo.port }, {
          onProblem: (error) => problems.push(error),
        });
        using open = await Deno.connect({ hostname: HOST, port: tunnel.port });
        await open.write(new Uint8Array([1, 2, 3]));
        const buffer = new Uint8Array(10);
        assert.equal(await open.read(buffer), 3);
        link.set({ kind: "reset", afterBytes: 0 });
        const end = await open.read(buffer).catch((error) => error);
        assert.ok(end === null || end instanceof Error, `${end}`);
        await waitFor(() => problems.length > 0);
        assert.ok(problems[0] instanceof GridError, `${problems[0]}`);
        link.set({ kind: "none" });
        assert.deepEqual(await echoed(tunnel.port), SENT, `${transport}, ${forwarding}`);
      }
    }
  },
);

testWith(["sshd"], "a client that leaves early is nobody's problem", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  const [node] = lab.nodes;
  assert.ok(node);
  await using pool = createPool({ handshakes: 4 });
  const listener = Deno.listen({ hostname: HOST, port: 0 });
  const flood = (async () => {
    using connection = await listener.accept();
    let count = 0;
    try {
      for (;;) count += await connection.write(SENT);
    } catch {
      return count; // as soon as nobody wants it
    }
  })();
  const problems: unknown[] = [];
  await using tunnel = openTunnel(
    { transport: pool.transport(node.endpoint), root: node.root },
    { host: HOST, port: listener.addr.port },
    { onProblem: (error) => problems.push(error) },
  );
  {
    using client = await Deno.connect({ hostname: HOST, port: tunnel.port });
    assert.ok((await client.read(new Uint8Array(1000)) ?? 0) > 0);
  }
  assert.ok(await flood > 0);
  listener.close();
  assert.deepEqual(problems, []);
});
