import type { Clock, SleepOptions } from "../../src/core/clock.ts";

interface Sleeper {
  readonly at: number;
  wake(): void;
}

/** A clock that stands still until told: `await clock.advance(ms)` wakes the sleepers in order. */
export class FakeClock implements Clock {
  readonly #start: number;
  /** Milliseconds that have passed. */
  #passed = 0;
  /** How far the date was set forth or back. */
  #set = 0;
  #frozen: number | undefined;
  #sleepers: Sleeper[] = [];
  /** Every sleep that was asked for, in milliseconds. */
  readonly sleeps: number[] = [];

  constructor(startMs = Date.UTC(2026, 0, 31, 12, 0, 0)) {
    this.#start = startMs;
  }

  now(): number {
    return this.#frozen ?? this.#start + this.#passed + this.#set;
  }

  monotonic(): number {
    return this.#passed;
  }

  /** Sets the date forth or back, as NTP or a person may; time goes on as before. */
  jump(ms: number): void {
    this.#set += ms;
  }

  /** The date stands still from now on, though time goes on. */
  freeze(): void {
    this.#frozen = this.now();
  }

  sleep(ms: number, options: SleepOptions = {}): Promise<void> {
    const { signal } = options;
    this.sleeps.push(ms);
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const onAbort = () => {
        this.#sleepers = this.#sleepers.filter((other) => other !== sleeper);
        reject(signal?.reason);
      };
      const sleeper: Sleeper = {
        at: this.#passed + ms,
        wake: () => {
          signal?.removeEventListener("abort", onAbort);
          resolve();
        },
      };
      this.#sleepers.push(sleeper);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }

  /** Moves time on, waking every sleeper whose time has come and letting its work run. */
  async advance(ms: number): Promise<void> {
    const end = this.#passed + ms;
    await settle();
    for (;;) {
      const next = this.#sleepers.toSorted((a, b) => a.at - b.at)[0];
      if (next === undefined || next.at > end) break;
      this.#sleepers = this.#sleepers.filter((other) => other !== next);
      this.#passed = Math.max(this.#passed, next.at);
      next.wake();
      await settle();
    }
    this.#passed = end;
  }
}

/** Lets every promise that is ready run. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
}
