/** What a job reads goes by the way that is made for much, once it proves to be that. */
import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { JobInput } from "../../../src/transport/job/job_input.ts";
import { JobLink } from "../../../src/transport/job/job_link.ts";
import { startJob } from "../../../src/transport/job/job_start.ts";
import { createPool } from "../../../src/transport/pool.ts";
import { startFaultProxy } from "../../support/fault_proxy.ts";
import { followAll, jobSpec, waitFor } from "../../support/job_contract.ts";
import { knownHostsLine, startOpenSsh } from "../../support/openssh.ts";
import { testWith } from "../../support/requires.ts";

testWith(
  // `ss` comes with `ip`.
  ["sshd", "ip"],
  "a job's input goes that way once it is much, and back where it breaks",
  async () => {
    await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
    const [node] = lab.nodes;
    assert.ok(node);
    Deno.mkdirSync(node.root, { recursive: true });
    await using link = await startFaultProxy(node);
    Deno.writeTextFileSync(lab.knownHosts, knownHostsLine(link, node.hostKeyFile));
    await using pool = createPool({ handshakes: 2 });
    const transport = pool.transport({ ...node.endpoint, host: link.host, port: link.port });
    const place = { transport, root: node.root, [Symbol.asyncDispose]: () => Promise.resolve() };
    const spec = jobSpec(place, { command: "sha256sum", hasInput: true });
    const events: [atMegabyte: number, happens: () => unknown][] = [
      [18, () => waitFor(() => transport.stats.handshakes === 2)],
      [30, () => bulkProcesses(link.port).forEach((pid) => Deno.kill(pid, "SIGKILL"))],
      [50, () => waitFor(() => transport.stats.handshakes === 3)],
      [60, () => {
        link.set({ kind: "reset", afterBytes: 0 });
        setTimeout(() => link.set({ kind: "none" }), 100);
      }],
    ];
    const piece = randomBytes(2 ** 20);
    const sum = createHash("sha256");
    let megabytes = 0;
    const source = new ReadableStream<Uint8Array>({
      async pull(controller) {
        if (events[0]?.[0] === megabytes) await events.shift()?.[1]();
        if (megabytes++ === 70) return controller.close();
        piece.writeUInt32LE(megabytes);
        sum.update(piece);
        controller.enqueue(new Uint8Array(piece));
      },
    }, { highWaterMark: 0 });
    const job = await startJob(transport, spec);
    const feeding = new JobInput({ stream: source })
      .feed(new JobLink(transport, spec), new AbortController().signal);
    const { exit, stdout } = await followAll(job);
    await feeding;
    assert.deepEqual(exit, { kind: "code", code: 0 });
    assert.equal(stdout.split(" ")[0], sum.digest("hex"));
    assert.ok(transport.stats.bytesSent > 70 * 2 ** 20);
    await job.remove();
  },
);

const LITTLE = 8 * 2 ** 20;
const MUCH = 16 * 2 ** 20;

for (const [what, size, logins] of [["little", undefined, 1], ["much", MUCH, 2]] as const) {
  testWith(
    ["sshd"],
    `a job's input that is known to be ${what} has ${logins} login(s)`,
    async () => {
      await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
      const [node] = lab.nodes;
      assert.ok(node);
      Deno.mkdirSync(node.root, { recursive: true });
      await using pool = createPool({ handshakes: 2 });
      const transport = pool.transport(node.endpoint);
      const place = { transport, root: node.root, [Symbol.asyncDispose]: () => Promise.resolve() };
      const spec = jobSpec(place, { command: "wc -c", hasInput: true });
      const job = await startJob(transport, spec);
      const signal = new AbortController().signal;
      // As of a file that somebody has cut since then.
      const stream = ReadableStream.from([new Uint8Array(LITTLE)]);
      await new JobInput({ stream, size }).feed(new JobLink(transport, spec), signal);
      assert.equal((await followAll(job)).stdout.trim(), String(LITTLE));
      assert.equal(node.acceptedLogins(), logins);
      await job.remove();
    },
  );
}

/** Those that log in at this port; other files of tests run beside, and log in elsewhere. */
function bulkProcesses(port: number): readonly number[] {
  const { stdout } = new Deno.Command("ss", { args: ["-Htnp", "dport", "=", `:${port}`] })
    .outputSync();
  const found = new TextDecoder().decode(stdout).matchAll(/\("ssh",pid=(\d+),/g);
  const pids = [...found].map(([, pid]) => Number(pid));
  assert.ok(pids.length > 0);
  return pids;
}
