import assert from "node:assert/strict";
import { attachJob, startJob } from "../../../../src/transport/job/job_start.ts";
import {
  describeBirths,
  describeJobs,
  describePruning,
  followAll,
  jobSpec,
} from "../../../support/job_contract.ts";
import { openLocalNode } from "../../../support/job_nodes.ts";
import { allProcesses } from "../../../support/processes.ts";

const test = (name: string, run: () => Promise<void>) => Deno.test(name, run);

describeJobs("local job", { test, open: openLocalNode });
describePruning("local job", { test, open: openLocalNode });
describeBirths("local job", { test, open: openLocalNode });

Deno.test("a node's shell that does not sleep while it waits is refused, and left by all", async () => {
  await using node = await openLocalNode();
  await followAll(await startJob(node.transport, jobSpec(node, { command: "true" })));
  const { stdout: shell } = await node.transport.exec("echo $$");
  // As one does whose signal stays pending for ever.
  await node.transport.wait("grid_read_line() { return 151; }", { stop: AbortSignal.abort() });
  const spec = jobSpec(node, { command: "exec sleep 1000" });
  await assert.rejects(startJob(node.transport, spec), {
    code: "answer-invalid",
    message: /"here": its \/bin\/sh does not sleep/,
    hint: /busybox 1\.38/,
  });
  assert.deepEqual(allProcesses().filter(({ pid }) => pid === Number(shell)), []);
  const job = await attachJob(node.transport, spec);
  assert.deepEqual((await job?.kill({ graceMs: 1000 }))?.survivors, []);
});
