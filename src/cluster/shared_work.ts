/** Work that callers who ask at the same time share; it ends early when none of them waits any more. */
import { raceAbort } from "../core/deadline.ts";

interface Running<T> {
  readonly result: Promise<T>;
  readonly controller: AbortController;
  waiting: number;
}

export class SharedWork<K, T> {
  readonly #running = new Map<K, Running<T>>();
  readonly #work: (key: K, signal: AbortSignal) => Promise<T>;

  constructor(work: (key: K, signal: AbortSignal) => Promise<T>) {
    this.#work = work;
  }

  /** @throws the signal's reason, or what the work throws */
  async get(key: K, signal?: AbortSignal): Promise<T> {
    signal?.throwIfAborted();
    const running = this.#running.get(key) ?? this.#start(key);
    running.waiting++;
    try {
      return await (signal ? raceAbort(running.result, signal) : running.result);
    } finally {
      running.waiting--;
      if (running.waiting === 0 && signal?.aborted) {
        // The next caller starts anew instead of getting this one's end.
        if (this.#running.get(key) === running) this.#running.delete(key);
        running.controller.abort(signal.reason);
      }
    }
  }

  #start(key: K): Running<T> {
    const controller = new AbortController();
    const result = this.#work(key, controller.signal).finally(() => {
      if (this.#running.get(key) === running) this.#running.delete(key);
    });
    // Nobody may wait for it any more when it fails.
    result.catch(() => {});
    const running: Running<T> = { result, controller, waiting: 0 };
    this.#running.set(key, running);
    return running;
  }
}
