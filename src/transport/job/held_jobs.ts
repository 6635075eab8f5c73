/** Jobs whose leases this process renews, for whoever stands in for it while its event loop stands still. */
import type { Endpoint } from "../transport.ts";

/** Plain data: it travels to another thread. */
export interface HeldJob {
  readonly endpoint: Endpoint;
  /** Absolute `remote_root`. */
  readonly root: string;
  readonly id: string;
  readonly leaseMs: number;
}

const held = new Map<object, HeldJob>();
const listeners = new Set<() => void>();

/** To be called for as long as the job's lease is renewed. */
export function noteHeld(job: HeldJob): Disposable {
  const key = {};
  held.set(key, job);
  tell();
  return {
    [Symbol.dispose]: () => {
      held.delete(key);
      tell();
    },
  };
}

export function heldJobs(): readonly HeldJob[] {
  return [...held.values()];
}

/** Calls back after every change. */
export function onHeldJobs(listener: () => void): Disposable {
  listeners.add(listener);
  return { [Symbol.dispose]: () => listeners.delete(listener) };
}

function tell(): void {
  for (const listener of listeners) listener();
}
