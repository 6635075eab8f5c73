/** A runner whose event loop stands still while its jobs run: told as JSON which jobs and for how long. */
import { during } from "../../src/core/whereabouts.ts";
import { watchEventLoop } from "../../src/cli/watchdog.ts";
import { createPool } from "../../src/transport/pool.ts";
import type { JobSpec } from "../../src/transport/job/job.ts";
import { startJob } from "../../src/transport/job/job_start.ts";
import type { Endpoint } from "../../src/transport/transport.ts";

export interface StandingOrders {
  readonly jobs: readonly { readonly endpoint: Endpoint; readonly spec: JobSpec }[];
  readonly standMs: number;
  /** Without one the leases run out. */
  readonly watchdog: boolean;
}

if (import.meta.main) {
  const { jobs, standMs, watchdog }: StandingOrders = JSON.parse(Deno.args[0] ?? "");
  await using _watchdog = watchdog ? watchEventLoop() : undefined;
  await using pool = createPool({ handshakes: 10 });
  const exits = await Promise.all(
    jobs.map(async ({ endpoint, spec }) => {
      const job = await startJob(pool.transport(endpoint), spec);
      return job.follow({ signal: new AbortController().signal, onOutput: () => {} });
    }).map((ending, index) => index === 0 ? standing(ending, standMs) : ending),
  );
  console.log(JSON.stringify(exits));
}

/** Once the jobs had a moment to start and the watchdog to take up its post. */
async function standing<T>(ending: Promise<T>, standMs: number): Promise<T> {
  await new Promise((resolve) => setTimeout(resolve, 3000));
  during(() => "a piece of work of the test", () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, standMs);
  });
  return await ending;
}
