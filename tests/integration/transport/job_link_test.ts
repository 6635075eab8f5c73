/** The promise that no other runner keeps: a lost link loses no job, no line, and starts nothing twice. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { concatBytes } from "../../../src/core/bytes.ts";
import type { Job, JobSpec } from "../../../src/transport/job/job.ts";
import { JobInput } from "../../../src/transport/job/job_input.ts";
import { JobLink } from "../../../src/transport/job/job_link.ts";
import { mayHaveStarted, startJob } from "../../../src/transport/job/job_start.ts";
import { createPool } from "../../../src/transport/pool.ts";
import type { Endpoint, Transport } from "../../../src/transport/transport.ts";
import { followAll, jobSpec } from "../../support/job_contract.ts";
import { type Fault, startFaultProxy } from "../../support/fault_proxy.ts";
import { knownHostsLine, type OpenSshNode, startOpenSsh } from "../../support/openssh.ts";
import { testWith } from "../../support/requires.ts";

const RUNS = 50;
const AT_ONCE = 5;
const LINES = 10_000;
/** Prints for about as long as the breaks are spread over. */
const COMMAND = `echo ran >>ran.$GRID_JOB
for block in $(seq 0 99); do seq $((block * 100 + 1)) $((block * 100 + 100)); sleep 0.003; done
exit 7`;
const FAULTS: readonly Fault[] = [
  { kind: "reset", afterBytes: 0 },
  { kind: "reset", afterBytes: 5000 },
  { kind: "swallow" },
  { kind: "stall" },
];
/** How long the link stays broken. */
const BROKEN_MS = 1500;

testWith(["sshd"], `${RUNS} jobs survive a link that breaks at a random moment`, async () => {
  await using lab = await startOpenSsh({
    nodes: 1,
    gpus: 0,
    // The breaking links of several runs share one daemon.
    sshdConfig: ["MaxStartups 100"],
  });
  const [node] = lab.nodes;
  assert.ok(node);
  Deno.mkdirSync(node.root, { recursive: true });
  const hostKey = node.hostKeyFile;
  const failures: Error[] = [];
  let next = 0;
  const worker = async () => {
    for (let run = next++; run < RUNS; run = next++) {
      const fault = FAULTS[run % FAULTS.length] ?? { kind: "none" };
      const afterMs = Math.random() * 700;
      await breakOne({ node, knownHosts: lab.knownHosts, hostKey }, { fault, afterMs })
        .catch((error) => {
          const what = `run ${run}: ${JSON.stringify(fault)} after ${Math.round(afterMs)} ms`;
          failures.push(new Error(what, { cause: error }));
        });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (failures[0]) throw failures[0];
});

interface Place {
  readonly node: OpenSshNode;
  readonly knownHosts: string;
  readonly hostKey: string;
}

testWith(
  ["sshd"],
  "what a job reads is whole, and comes once, over a link that breaks",
  async () => {
    await using lab = await startOpenSsh({ nodes: 1, gpus: 0, sshdConfig: ["MaxStartups 100"] });
    const [node] = lab.nodes;
    assert.ok(node);
    Deno.mkdirSync(node.root, { recursive: true });
    await using link = await startFaultProxy(node);
    Deno.writeTextFileSync(lab.knownHosts, knownHostsLine(link, node.hostKeyFile));
    await using pool = createPool({ handshakes: 4 });
    const transport = pool.transport(brokenEndpoint(node, link));
    const spec = jobSpec({ transport, root: node.root, ...noDisposal }, {
      command: "sha256sum",
      hasInput: true,
    });
    const pieces = Array.from(
      { length: 400 },
      () => crypto.getRandomValues(new Uint8Array(65_536)),
    );
    let at = 0;
    const source = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const piece = pieces[at++];
        if (piece === undefined) return controller.close();
        const fault = FAULTS[Math.floor(at / 80)];
        if (at % 80 === 40 && fault !== undefined) {
          link.set(fault);
          setTimeout(() => link.set({ kind: "none" }), BROKEN_MS);
        }
        if (at % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        controller.enqueue(piece);
      },
    });
    const job = await startJob(transport, spec);
    const feeding = new JobInput({ stream: source }).feed(
      new JobLink(transport, spec),
      new AbortController().signal,
    );
    const { exit, stdout } = await followAll(job);
    await feeding;
    assert.deepEqual(exit, { kind: "code", code: 0 });
    const whole = await crypto.subtle.digest("SHA-256", concatBytes(pieces).slice());
    assert.equal(stdout.split(" ")[0], encodeHex(new Uint8Array(whole)));
    assert.ok(link.accepted > 1, "the link never broke");
    await job.remove();
  },
);

function brokenEndpoint(
  node: OpenSshNode,
  link: { readonly host: string; readonly port: number },
): Endpoint {
  return {
    ...node.endpoint,
    host: link.host,
    port: link.port,
    keepaliveMs: 300,
    commandTimeoutMs: 2000,
    connectTimeoutMs: 2000,
  };
}

function encodeHex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function breakOne(
  { node, knownHosts, hostKey }: Place,
  { fault, afterMs }: { readonly fault: Fault; readonly afterMs: number },
): Promise<void> {
  await using link = await startFaultProxy(node);
  Deno.writeTextFileSync(knownHosts, knownHostsLine(link, hostKey), {
    append: true,
  });
  await using pool = createPool({ handshakes: 4 });
  const transport = pool.transport(brokenEndpoint(node, link));
  const spec = jobSpec({ transport, root: node.root, ...noDisposal }, { command: COMMAND });
  const timers = [
    setTimeout(() => link.set(fault), afterMs),
    setTimeout(() => link.set({ kind: "none" }), afterMs + BROKEN_MS),
  ];
  try {
    const job = await startSurely(transport, spec);
    const { exit, stdout, stderr } = await followAll(job);
    assert.deepEqual(exit, { kind: "code", code: 7 });
    assert.equal(stderr, "");
    assert.deepEqual(stdout.split("\n"), [
      ...Array.from({ length: LINES }, (_, index) => `${index + 1}`),
      "",
    ]);
    assert.equal(Deno.readTextFileSync(join(node.root, `ran.${spec.id}`)), "ran\n");
    await job.remove();
  } finally {
    timers.forEach(clearTimeout);
  }
}

const noDisposal = { [Symbol.asyncDispose]: () => Promise.resolve() };

/** As a step with the default retry policy does: again only while nothing can have started. */
async function startSurely(transport: Transport, spec: JobSpec): Promise<Job> {
  for (let attempt = 1;; attempt++) {
    try {
      return await startJob(transport, spec);
    } catch (error) {
      if (attempt === 6 || mayHaveStarted(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  }
}
