/** A runner whose event loop stands still while its jobs run: told as JSON which jobs and for how long. */
import { during } from "../../src/core/whereabouts.ts";
import { watchEventLoop } from "../../src/cli/watchdog.ts";
import { createPool } from "../../src/transport/pool.ts";
import { heldJobs, onHeldJobs } from "../../src/transport/job/held_jobs.ts";
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
  const started = allHeld(jobs.length);
  const exits = await Promise.all(
    jobs.map(async ({ endpoint, spec }) => {
      const job = await startJob(pool.transport(endpoint), spec);
      return job.follow({ signal: new AbortController().signal, onOutput: () => {} });
    }).map((ending, index) => index === 0 ? standing(ending, { started, standMs }) : ending),
  );
  console.log(JSON.stringify(exits));
}

async function allHeld(count: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  using _listener = onHeldJobs(() => heldJobs().length === count && resolve());
  await promise;
}

interface Standing {
  readonly started: Promise<void>;
  readonly standMs: number;
}

/** Once the jobs have started and the watchdog had a moment to take up its post. */
async function standing<T>(ending: Promise<T>, { started, standMs }: Standing): Promise<T> {
  await started;
  await new Promise((resolve) => setTimeout(resolve, 3000));
  during(() => "a piece of work of the test", () => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, standMs);
  });
  return await ending;
}
