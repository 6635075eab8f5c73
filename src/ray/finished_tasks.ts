/** What a run knows beyond one attempt at a batch. */

export class FinishedTasks implements AsyncDisposable {
  /** By results key and fingerprint of the work: successes, as lines of a results file. */
  readonly #known = new Map<string, Uint8Array>();
  readonly #clearing: (() => Promise<void>)[] = [];

  /** For a retry that lands on a node without the results of the attempts before. */
  remember(key: string, lines: Uint8Array): void {
    if (lines.length > 0) this.#known.set(key, lines);
  }

  forget(key: string): void {
    this.#known.delete(key);
  }

  /** Empty where nothing is known. */
  lines(key: string): Uint8Array {
    return this.#known.get(key) ?? new Uint8Array();
  }

  /** To be done when the run is over: until then it may go on from what lies on its nodes. */
  later(clear: () => Promise<void>): void {
    this.#clearing.push(clear);
  }

  /** Nothing that comes after it needs it; the run waits for it at its end. */
  meanwhile(clearing: Promise<void>): void {
    clearing.catch(() => {});
    this.#clearing.push(() => clearing);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.allSettled(this.#clearing.map((clear) => clear()));
  }
}
