/**
 * Time as a port, so that retries, caches and deadlines can be tested without waiting. There are two
 * kinds: dates, which people read, and which NTP or a person may set forth and back at any moment;
 * and time that passes, by which everything is measured that has a length.
 */
export interface Clock {
  /** The date: milliseconds since the Unix epoch. Only to be shown, kept, or compared with files. */
  now(): number;
  /** Milliseconds that have passed since some moment; never jumps, and means nothing elsewhere. */
  monotonic(): number;
  /** Resolves after `ms`, or rejects with the signal's reason. */
  sleep(ms: number, options?: SleepOptions): Promise<void>;
}

export interface SleepOptions {
  readonly signal?: AbortSignal | undefined;
}

export const systemClock: Clock = { now: () => Date.now(), monotonic, sleep };

/** As `Clock.monotonic` of this process; for rooms whose time is always the real one. */
export function monotonic(): number {
  return performance.now();
}

/** Clocks that are well agree to this. */
const AGREEING_MS = 5000;

/**
 * How many ms to add to dates of another clock to make them this one's, by one moment that both tell; 0 where they
 * agree, because then what is exact shall stay so.
 */
export function clockShift(
  { theirs, ours }: { readonly theirs: number; readonly ours: number },
): number {
  const shift = ours - theirs;
  return Math.abs(shift) > AGREEING_MS ? shift : 0;
}

/** The longest wait one timer can carry; a longer one would fire at once. About 24.8 days. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

async function sleep(ms: number, options: SleepOptions = {}): Promise<void> {
  let left = ms;
  for (; left > LONGEST_TIMER_MS; left -= LONGEST_TIMER_MS) {
    await sleepOnce(LONGEST_TIMER_MS, options);
  }
  await sleepOnce(left, options);
}

function sleepOnce(ms: number, { signal }: SleepOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(signal.reason);
    const onAbort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", onAbort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", onAbort, { once: true });
  });
}
