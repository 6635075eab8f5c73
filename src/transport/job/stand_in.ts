/** Renews leases of jobs that another thread holds and cannot renew, over connections of its own. */
import { createPool } from "../pool.ts";
import type { HeldJob } from "./held_jobs.ts";
import { nodeJobs } from "./node_jobs.ts";

/** Until disposed; what stands in the way of a node is told in the log, and tried again. */
export function standIn(jobs: readonly HeldJob[]): AsyncDisposable {
  const pool = createPool({ handshakes: 10 });
  const holds = jobs.map((job) =>
    nodeJobs(pool.transport(job.endpoint), job.root).hold({ id: job.id, leaseMs: job.leaseMs })
  );
  return {
    [Symbol.asyncDispose]: async () => {
      for (const hold of holds) hold[Symbol.dispose]();
      await pool[Symbol.asyncDispose]();
    },
  };
}
