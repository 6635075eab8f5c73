/** Tells everyone who waits that something changed, so that they look again. */
export class Condition {
  #waiting: (() => void)[] = [];
  #count = 0;

  /** How often it rang; compare to learn whether a ring was missed. */
  get count(): number {
    return this.#count;
  }

  tell(): void {
    this.#count++;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  next(): Promise<void> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }
}
