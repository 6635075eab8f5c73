/** Shows that whoever holds a lock is still there, for as long as it lives. */
import { quote } from "../core/shell.ts";
import type { Place } from "./place.ts";
import type { SyncTarget } from "./sync.ts";

/** `apply.sh` takes over a lock that nobody renewed for two minutes. */
const RENEW_MS = 30_000;

export interface LockOptions {
  readonly target: SyncTarget;
  readonly place: Place;
  readonly renewMs?: number;
}

export function keepLock({ target, place, renewMs = RENEW_MS }: LockOptions): AsyncDisposable {
  const owner = `${place.root}/.grid/sync/${place.key}/lock/owner`;
  const stop = new AbortController();
  let renewing: Promise<unknown> = Promise.resolve();
  const timer = setInterval(() => {
    // A renewal that fails shows in the sync itself, which uses the same link.
    renewing = target.transport.exec(`touch -c -- ${quote(owner)}`, { signal: stop.signal })
      .catch(() => {});
  }, renewMs);
  return {
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      stop.abort();
      await renewing;
    },
  };
}
