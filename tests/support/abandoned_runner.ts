/** A runner that starts a job and follows it, to be killed by a test: its spec comes as JSON. */
import { createPool } from "../../src/transport/pool.ts";
import type { JobSpec } from "../../src/transport/job/job.ts";
import { startJob } from "../../src/transport/job/job_start.ts";
import type { Endpoint } from "../../src/transport/transport.ts";

export interface RunnerOrders {
  readonly endpoint: Endpoint;
  readonly spec: JobSpec;
}

if (import.meta.main) {
  const { endpoint, spec }: RunnerOrders = JSON.parse(Deno.args[0] ?? "");
  await using pool = createPool({ handshakes: 1 });
  const job = await startJob(pool.transport(endpoint), spec);
  await job.follow({
    signal: new AbortController().signal,
    onOutput: async (_stream, bytes) => {
      await Deno.stdout.write(bytes);
    },
  });
}
