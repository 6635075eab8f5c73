import type { HeldJob } from "../transport/job/held_jobs.ts";

/** What the worker is told; each message changes what it names. */
export interface WatchdogOrders {
  readonly board?: SharedArrayBuffer;
  readonly jobs?: readonly HeldJob[];
}
