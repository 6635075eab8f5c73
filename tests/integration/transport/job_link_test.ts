/** The promise that no other runner keeps: a lost link loses no job, no line, and starts nothing twice. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { Job, JobSpec } from "../../../src/transport/job/job.ts";
import { mayHaveStarted, startJob } from "../../../src/transport/job/job_start.ts";
import { createPool } from "../../../src/transport/pool.ts";
import type { Transport } from "../../../src/transport/transport.ts";
import { followAll, jobSpec } from "../../support/job_contract.ts";
import { type Fault, startFaultProxy } from "../../support/fault_proxy.ts";
import { type OpenSshNode, startOpenSsh } from "../../support/openssh.ts";
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

async function breakOne(
  { node, knownHosts, hostKey }: Place,
  { fault, afterMs }: { readonly fault: Fault; readonly afterMs: number },
): Promise<void> {
  await using link = await startFaultProxy(node);
  const [type, key] = Deno.readTextFileSync(`${hostKey}.pub`).split(" ");
  Deno.writeTextFileSync(knownHosts, `[${link.host}]:${link.port} ${type} ${key}\n`, {
    append: true,
  });
  await using pool = createPool({ handshakes: 4 });
  const transport = pool.transport({
    ...node.endpoint,
    host: link.host,
    port: link.port,
    keepaliveMs: 300,
    commandTimeoutMs: 2000,
    connectTimeoutMs: 2000,
  });
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
