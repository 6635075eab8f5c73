/**
 * Keeps other people's hours safe from this thread: whatever makes its event loop stand still, a worker
 * beside it goes on renewing the leases of the jobs that run, says so, and names what stands.
 */
import { monotonic, systemClock } from "../core/clock.ts";
import { beat, closeBoard, isStoodInFor, openBoard } from "../core/whereabouts.ts";
import { heldJobs, onHeldJobs } from "../transport/job/held_jobs.ts";
import type { WatchdogOrders } from "./watchdog_orders.ts";

/**
 * Runs that are over sooner need no watchdog, and its start costs as much as a small job; nor does a lease
 * of which only so small a part has gone.
 */
const START_AFTER_MS = { least: 500, most: 3000 };
const LEASE_PART = 1 / 20;
/** Jobs come and go in flocks. */
const TELL_AFTER_MS = 200;
const BEAT_MS = 250;
/** How long a worker that has just stepped in may take to close its connections. */
const LEAVING_MS = 2000;
const LEAVING_LOOK_MS = 50;

/** Starts the worker once jobs have run for a moment; it ends when this is disposed. */
export function watchEventLoop(): AsyncDisposable {
  let watchdog: Watchdog | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tell = () => {
    timer = undefined;
    if (watchdog === undefined && heldJobs().length > 0) watchdog = new Watchdog();
    watchdog?.tell();
  };
  const listening = onHeldJobs(() => {
    timer ??= setTimeout(tell, watchdog === undefined ? startAfterMs() : TELL_AFTER_MS);
  });
  return {
    [Symbol.asyncDispose]: async () => {
      listening[Symbol.dispose]();
      clearTimeout(timer);
      await watchdog?.[Symbol.asyncDispose]();
    },
  };
}

function startAfterMs(): number {
  const shortest = Math.min(...heldJobs().map(({ leaseMs }) => leaseMs));
  const { least, most } = START_AFTER_MS;
  return Math.max(least, Math.min(most, shortest * LEASE_PART));
}

class Watchdog implements AsyncDisposable {
  readonly #worker: Worker;
  readonly #beats: ReturnType<typeof setInterval>;

  constructor() {
    this.#worker = new Worker(new URL("./watchdog_worker.ts", import.meta.url), {
      type: "module",
      name: "watchdog",
    });
    // Without one the run goes on as before.
    this.#worker.onerror = (event) => event.preventDefault();
    this.#beats = setInterval(beat, BEAT_MS);
    this.#send({ board: openBoard() });
  }

  tell(): void {
    this.#send({ jobs: heldJobs() });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const until = monotonic() + LEAVING_MS;
    while (isStoodInFor() && monotonic() < until) await systemClock.sleep(LEAVING_LOOK_MS);
    clearInterval(this.#beats);
    closeBoard();
    this.#worker.terminate();
  }

  #send(orders: WatchdogOrders): void {
    this.#worker.postMessage(orders);
  }
}
