/** What about one job outlasts a lost link, and what counts as one. */
import { monotonic, systemClock } from "../../core/clock.ts";
import { type ErrorCode, GridError, isTransportCode } from "../../core/errors.ts";
import type { Transport } from "../transport.ts";

export interface JobIdentity {
  readonly id: string;
  readonly root: string;
  readonly leaseMs: number;
}

export class JobLink {
  readonly transport: Transport;
  readonly identity: JobIdentity;

  constructor(transport: Transport, identity: JobIdentity) {
    this.transport = transport;
    this.identity = identity;
  }

  get node(): string {
    return this.transport.endpoint.name;
  }

  /**
   * Repeats what may safely be repeated until the node has been away for the whole lease.
   *
   * @throws {GridError} `lost`, the signal's reason, or an error that is not the link's
   */
  async persist<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const { id, leaseMs } = this.identity;
    const until = monotonic() + leaseMs;
    for (let failures = 0;; failures++) {
      try {
        return await work();
      } catch (error) {
        signal?.throwIfAborted();
        if (!isLinkFailure(error)) throw error;
        if (monotonic() > until) throw stayedAway(this.node, { job: id, leaseMs, cause: error });
        await systemClock.sleep(retryDelayMs(failures), { signal });
      }
    }
  }
}

/** Waits between tries to reach a node again, in milliseconds; the last one repeats. */
const RETRY_DELAYS_MS = [50, 100, 200, 500, 1000, 2000];

/** The wait after so many failures in a row, in milliseconds. */
export function retryDelayMs(failures: number): number {
  return RETRY_DELAYS_MS[Math.min(failures, RETRY_DELAYS_MS.length - 1)] ?? 0;
}

export function stayedAway(
  node: string,
  { job, leaseMs, cause }: { job: string; leaseMs: number; cause: unknown },
): GridError {
  return new GridError({
    code: "lost",
    message: `Cannot reach "${node}" again: no answer for ${Math.round(leaseMs / 1000)} s ` +
      `about job "${job}"`,
    hint: `when the node is back: grid ps, then grid kill ${job}`,
    node,
    cause,
  });
}

/**
 * Whether a later try may succeed, on a node that was reached before: a slow answer may come of a
 * stalled link, a refused login of a link that broke in the midst of it.
 */
export function isLinkFailure(error: unknown): boolean {
  if (!(error instanceof GridError)) return false;
  return isTransportCode(error.code) || MAY_PASS.has(error.code);
}

const MAY_PASS: ReadonlySet<ErrorCode> = new Set(["timed-out", "shell", "auth"]);

/** A connection or a shell that was never made: the node cannot have got anything. */
export function isNeverSent(error: unknown): boolean {
  return error instanceof GridError && NEVER_SENT.has(error.code);
}

const NEVER_SENT: ReadonlySet<ErrorCode> = new Set(
  ["dns", "tcp", "banner", "kex", "algorithm", "host-key", "auth", "penalty", "channel", "shell"],
);
