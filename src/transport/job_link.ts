/** Calls about one job that outlast a lost link. */
import { systemClock } from "../core/clock.ts";
import { type ErrorCode, GridError, isTransportCode } from "../core/errors.ts";
import { randomWord } from "../core/ids.ts";
import { type JobAnswer, parseAnswer } from "./job_answer.ts";
import { jobCall, type JobFunction, jobLibrary } from "./job_script.ts";
import type { ExecResult, Transport } from "./transport.ts";

export interface JobIdentity {
  readonly id: string;
  readonly root: string;
  readonly leaseMs: number;
}

/** Waits between tries to reach a node again, in milliseconds; the last one repeats. */
const RETRY_DELAYS_MS = [50, 100, 200, 500, 1000, 2000];

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

  /** One call into `job.sh`, tried once. */
  async call(
    name: JobFunction,
    args: readonly (string | number)[],
    options: { readonly signal?: AbortSignal | undefined } = {},
  ): Promise<ExecResult> {
    const { root, id } = this.identity;
    return await this.transport.exec(jobCall(name, [root, id, ...args]), {
      encoding: "latin1",
      library: await jobLibrary(),
      signal: options.signal,
    });
  }

  /** State and, once that is final, the output from these offsets on. */
  async collect(
    from: { readonly stdout: number; readonly stderr: number },
    signal: AbortSignal,
  ): Promise<JobAnswer> {
    const word = randomWord(20);
    const result = await this.persist(
      () => this.call("grid_collect", [word, from.stdout, from.stderr], { signal }),
      signal,
    );
    return parseAnswer(result, { node: this.node, job: this.identity.id, word });
  }

  /**
   * Repeats what may safely be repeated until the node has been away for the whole lease.
   *
   * @throws {GridError} `lost`, the signal's reason, or an error that is not the link's
   */
  async persist<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    const until = Date.now() + this.identity.leaseMs;
    for (let attempt = 0;; attempt++) {
      try {
        return await work();
      } catch (error) {
        signal?.throwIfAborted();
        if (!isLinkFailure(error)) throw error;
        if (Date.now() > until) throw this.#stayedAway(error);
        const delay = RETRY_DELAYS_MS[Math.min(attempt, RETRY_DELAYS_MS.length - 1)] ?? 0;
        await systemClock.sleep(delay, { signal });
      }
    }
  }

  #stayedAway(cause: unknown): GridError {
    const { id, leaseMs } = this.identity;
    return new GridError({
      code: "lost",
      message: `Cannot reach "${this.node}" again: no answer for ${Math.round(leaseMs / 1000)} s ` +
        `about job "${id}"`,
      hint: `when the node is back: grid ps, then grid kill ${id}`,
      node: this.node,
      cause,
    });
  }
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
