/** Asks many, a few at a time; those that keep silent hold nobody up. */

export interface EachOptions<T> {
  /** Taken up at the same time. */
  readonly atOnce: number;
  /** After so long whoever has not ended gives its turn to the next, and goes on. */
  readonly turnMs: number;
  /** Nobody is late before this; after it, whoever takes so many times as long as the first to end. */
  readonly lateMs: number;
  readonly lateFactor: number;
  /** Whether nothing at all was heard of it: then it is late though the others are slow, too. */
  readonly isSilent?: (item: T) => boolean;
  /** Milliseconds that an item has waited elsewhere for its turn so far, which nobody blames it for. */
  readonly queuedMs?: (item: T) => number;
  readonly work: (item: T) => Promise<void>;
  /** Asked when all that go on are late; true leaves them to themselves. */
  readonly isEnough?: (() => boolean) | undefined;
  /** Asked once all have had `headStartMs`: true leaves those that go on to themselves, late or not. */
  readonly isBest?: (() => boolean) | undefined;
  readonly headStartMs?: number;
  /** Milliseconds that never jump. */
  readonly now: () => number;
}

/** Between two looks at who keeps silent. */
const LOOK_MS = 25;
/** Among more than so many nobody is looked at each time that one ends: it would be a product. */
const FEW = 64;

/**
 * Ends when all have ended, or when the rest is late and not needed. What is left then goes on, and its
 * failures are nobody's.
 *
 * @throws the first failure
 */
export async function eachOf<T>(items: readonly T[], options: EachOptions<T>): Promise<void> {
  if (items.length > 0) await new PatientQueue(items, options).run();
}

interface Turn<T> {
  readonly item: T;
  readonly startedAt: number;
  /** Of before. */
  readonly queuedMs: number;
}

class PatientQueue<T> {
  readonly #options: EachOptions<T>;
  readonly #waiting: T[];
  readonly #turns = new Set<Turn<T>>();
  /** Those of them for whom somebody waits. */
  readonly #holders = new Set<Turn<T>>();
  readonly #end = Promise.withResolvers<void>();
  /** How long the first to end took: as slow as that is for everybody. */
  #firstMs: number | undefined;
  readonly #beganAt: number;

  constructor(items: readonly T[], options: EachOptions<T>) {
    this.#options = options;
    this.#beganAt = options.now();
    this.#waiting = items.toReversed();
  }

  async run(): Promise<void> {
    const timer = setInterval(() => this.#look(), LOOK_MS);
    try {
      for (let place = 0; place < this.#options.atOnce; place++) this.#next();
      await this.#end.promise;
    } finally {
      clearInterval(timer);
    }
  }

  #next(): void {
    const item = this.#waiting.pop();
    if (item === undefined) return;
    const { now, queuedMs } = this.#options;
    const turn = { item, startedAt: now(), queuedMs: queuedMs?.(item) ?? 0 };
    this.#turns.add(turn);
    this.#holders.add(turn);
    this.#options.work(item).then(() => this.#ended(turn), this.#end.reject);
  }

  #ended(turn: Turn<T>): void {
    this.#firstMs ??= this.#age(turn);
    this.#turns.delete(turn);
    if (this.#holders.delete(turn)) this.#next();
    if (this.#turns.size <= FEW) this.#look();
  }

  #look(): void {
    const { turnMs, isEnough } = this.#options;
    // Those that are taken up meanwhile hold theirs for now.
    for (const turn of [...this.#holders]) {
      if (this.#since(turn) < turnMs || this.#age(turn) < turnMs) continue;
      this.#holders.delete(turn);
      this.#next();
    }
    if (this.#isBestKnown()) return this.#end.resolve();
    if (this.#waiting.length > 0) return;
    if (this.#turns.size === 0) this.#end.resolve();
    else if ([...this.#turns].every((turn) => this.#isLate(turn)) && isEnough?.()) {
      this.#end.resolve();
    }
  }

  #isBestKnown(): boolean {
    const { now, headStartMs = 0, isBest } = this.#options;
    return this.#firstMs !== undefined && now() - this.#beganAt >= headStartMs &&
      isBest?.() === true;
  }

  #isLate(turn: Turn<T>): boolean {
    const { lateMs, lateFactor, isSilent } = this.#options;
    if (this.#firstMs === undefined || this.#since(turn) <= lateMs) return false;
    const age = this.#age(turn);
    if (age <= lateMs) return false;
    return age > lateFactor * this.#firstMs || (isSilent?.(turn.item) ?? false);
  }

  #age(turn: Turn<T>): number {
    const waited = (this.#options.queuedMs?.(turn.item) ?? 0) - turn.queuedMs;
    return this.#since(turn) - waited;
  }

  /** At least its age, and known without asking anybody. */
  #since({ startedAt }: Turn<T>): number {
    return this.#options.now() - startedAt;
  }
}
