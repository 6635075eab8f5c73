/** How long the other side may say nothing before it is taken for silent. */

/** Over a link as slow as they get. */
export const LONGEST_MS = 500;
/** Shorter than this a machine thinks, or a packet goes round the world half-way. */
const SHORTEST_MS = 50;
/** Before anybody has answered. */
const UNKNOWN_MS = 100;
/** Whoever needs so many times as long as the slowest of the last is silent. */
const FACTOR = 3;
/** So many of the last count. */
const LAST = 20;

/** Learns from those that answer, which are as slow as the network and this machine are just now. */
export class Pace {
  readonly #last: number[] = [];

  /** How long one took to say its first word. */
  add(ms: number): void {
    this.#last.push(ms);
    if (this.#last.length > LAST) this.#last.shift();
  }

  get patienceMs(): number {
    if (this.#last.length === 0) return UNKNOWN_MS;
    return Math.min(LONGEST_MS, Math.max(SHORTEST_MS, FACTOR * Math.max(...this.#last)));
  }
}

export interface SilenceOptions {
  readonly patienceMs: () => number;
  readonly onSilent: () => void;
  /** After a silence. */
  readonly onHeard: () => void;
}

/**
 * Turns of the event loop before patience is over: in each all that came is read first, so that a process
 * that is late itself does not blame the other side.
 */
const LOOKS = 4;

/** Watches one for silence, until it is disposed of. */
export class Silence implements Disposable {
  readonly #options: SilenceOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #looks = 0;
  #isOver = false;
  isSilent = false;

  constructor(options: SilenceOptions) {
    this.#options = options;
    this.#look();
  }

  /** Something was heard; the next silence begins. */
  end(): void {
    if (this.#isOver) return;
    this.#looks = 0;
    if (!this.isSilent) return;
    this.isSilent = false;
    this.#options.onHeard();
    this.#look();
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
  }

  #look(): void {
    this.#timer = setTimeout(() => {
      this.#looks++;
      if (this.#looks < LOOKS) return this.#look();
      this.#looks = 0;
      this.isSilent = true;
      this.#options.onSilent();
    }, this.#options.patienceMs() / LOOKS);
  }
}
