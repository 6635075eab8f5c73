/** A main thread that stands still for longer than the lease ends no job. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { jobSpec } from "../../support/job_contract.ts";
import { openLocalNode, openSshNode } from "../../support/job_nodes.ts";
import { testWith } from "../../support/requires.ts";
import type { StandingOrders } from "../../support/standing_runner.ts";

const RUNNER = fileURLToPath(new URL("../../support/standing_runner.ts", import.meta.url));
const LEASE_MS = 8000;
/** Twice the lease is enough to see it; a minute is what people would notice. */
const STAND_SECONDS = Number(Deno.env.get("GRID_TEST_STAND_SECONDS") ?? 16);

async function runStanding(orders: StandingOrders) {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", RUNNER, JSON.stringify(orders)],
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { exits: JSON.parse(text(stdout) || "null"), stderr: text(stderr) };
}

testWith(
  ["sshd"],
  "watchdog: jobs outlive a runner that stands still for longer than their lease",
  async () => {
    await using local = await openLocalNode();
    await using ssh = await openSshNode();
    await using openssh = await openSshNode({ transport: "openssh" });
    const jobs = [local, ssh, openssh].map((node) => ({
      endpoint: node.transport.endpoint,
      spec: jobSpec(node, { command: `sleep ${STAND_SECONDS + 4}; echo done`, leaseMs: LEASE_MS }),
    }));
    const watched = await runStanding({ jobs, standMs: 1000 * STAND_SECONDS, watchdog: true });
    assert.deepEqual(watched.exits, jobs.map(() => ({ kind: "code", code: 0 })), watched.stderr);
    assert.match(
      watched.stderr,
      /^warning: Grid itself stands still since 2 s, in a piece of work of the test; a second thread keeps 3 running jobs alive meanwhile$/m,
    );
    assert.match(watched.stderr, /^Grid goes on after \d+ s$/m);
  },
);

testWith(
  [],
  "watchdog: without one the node ends the job, so that the test above can fail",
  async () => {
    await using local = await openLocalNode();
    const spec = jobSpec(local, { command: "sleep 20; echo done", leaseMs: 4000 });
    const job = { endpoint: local.transport.endpoint, spec };
    const { exits } = await runStanding({ jobs: [job], standMs: 10_000, watchdog: false });
    assert.deepEqual(exits, [{ kind: "signal", signal: "SIGTERM", by: "lease" }]);
  },
);
