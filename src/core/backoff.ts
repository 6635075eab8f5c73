/** How the wait before a retry grows. */
export interface BackoffPolicy {
  /** Wait before the first retry, before jitter. */
  readonly delayMs: number;
  /** No wait is longer than this. */
  readonly maxDelayMs: number;
  readonly backoff: "exponential" | "linear" | "constant";
  readonly jitter: "full" | "none";
}

/** Beyond this a double overflows to infinity, and 0 × infinity is not a number. */
const MOST_DOUBLINGS = 1023;

/**
 * Whole milliseconds to wait before retry `retry` (1 is the first). Full jitter draws uniformly
 * from 0 to the capped delay: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
 *
 * @param options.random uniform in [0, 1)
 */
export function retryDelay(
  policy: BackoffPolicy,
  options: { readonly retry: number; readonly random: () => number },
): number {
  const capped = Math.min(policy.maxDelayMs, grown(policy, options.retry));
  return Math.round(policy.jitter === "full" ? capped * options.random() : capped);
}

function grown({ backoff, delayMs }: BackoffPolicy, retry: number): number {
  switch (backoff) {
    case "constant":
      return delayMs;
    case "linear":
      return delayMs * retry;
    case "exponential":
      return delayMs * 2 ** Math.min(retry - 1, MOST_DOUBLINGS);
  }
}
