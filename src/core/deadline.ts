import type { GridError } from "./errors.ts";

export interface DeadlineOptions {
  /** Milliseconds the work may take. */
  readonly ms: number;
  /** Made only when the deadline passes. */
  readonly error: () => GridError;
  /** The caller's own wish to stop; passed on to the work. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds since the beginning that the work had to wait for its turn, and that do not count. */
  readonly queuedMs?: (() => number) | undefined;
}

/**
 * Runs `work` with a signal that fires at the deadline or when the caller's does.
 * Returns as soon as the signal fires, even where the work ignores it.
 *
 * @throws the deadline's error, the caller's abort reason, or what the work throws
 */
export async function withDeadline<T>(
  work: (signal: AbortSignal) => Promise<T>,
  options: DeadlineOptions,
): Promise<T> {
  const { signal } = options;
  signal?.throwIfAborted();
  const controller = new AbortController();
  const stopped = Promise.withResolvers<never>();
  const stop = (reason: unknown) => {
    controller.abort(reason);
    stopped.reject(reason);
  };
  const onAbort = () => stop(signal?.reason);
  signal?.addEventListener("abort", onAbort, { once: true });
  let credited = 0;
  const onTime = () => {
    const queued = options.queuedMs?.() ?? 0;
    if (queued <= credited) return stop(options.error());
    timer = setTimeout(onTime, queued - credited);
    credited = queued;
  };
  let timer = setTimeout(onTime, options.ms);
  try {
    return await Promise.race([work(controller.signal), stopped.promise]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", onAbort);
  }
}

/** Settles like `work`, or rejects with the signal's reason if that comes first. */
export function raceAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    if (signal.aborted) onAbort();
    signal.addEventListener("abort", onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", onAbort));
  });
}
