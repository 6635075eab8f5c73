/**
 * Who uses which of a node's shells, and when. Normally there is one, and everybody takes turns: a
 * command that only waits gives way to all others. Where a turn is long in coming, one more is opened.
 */
import { monotonic } from "../../core/clock.ts";
import type { ShellSession } from "./shell_session.ts";

export interface ShellQueueOptions {
  /** Starts a shell that answers. */
  readonly open: () => Promise<ShellSession>;
  /** Closes a shell that is of no use any more. */
  readonly drop: (session: ShellSession) => void;
}

export interface Turn {
  readonly session: ShellSession;
  /** Fires when the shell is wanted for something more urgent than waiting. */
  readonly wanted: AbortSignal;
}

type Purpose = "command" | "wait";

interface Taker {
  readonly purpose: Purpose;
  readonly since: number;
  readonly resolve: (turn: Turn) => void;
  readonly reject: (reason: unknown) => void;
}

/** Shells per node: they share the node's channels with syncs. */
const MOST_SHELLS = 3;
/** How long the queue may stand still; a further shell costs the account's start-up files once more. */
const PATIENCE_MS = 300;

export class ShellQueue {
  readonly #options: ShellQueueOptions;
  readonly #takers: Taker[] = [];
  readonly #idle: ShellSession[] = [];
  #busy = 0;
  #opening = 0;
  /** The shell that last waited: jobs that were started in it tell it of their end directly. */
  #home: ShellSession | undefined;
  #wanted = new AbortController();
  /** When a shell last went to the next in the queue. */
  #movedAt = 0;
  #patience: ReturnType<typeof setTimeout> | undefined;
  #closed: { readonly reason: unknown } | undefined;

  constructor(options: ShellQueueOptions) {
    this.#options = options;
  }

  /** @throws what opening threw, the signal's reason, or why the queue was closed */
  async take(purpose: Purpose, signal?: AbortSignal): Promise<Turn> {
    signal?.throwIfAborted();
    if (this.#closed) throw this.#closed.reason;
    const { promise, resolve, reject } = Promise.withResolvers<Turn>();
    const taker = { purpose, since: monotonic(), resolve, reject };
    const onAbort = () => {
      if (this.#remove(taker)) reject(signal?.reason);
    };
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#takers.push(taker);
    this.#serve();
    return await promise.finally(() => signal?.removeEventListener("abort", onAbort));
  }

  giveBack(session: ShellSession): void {
    this.#busy--;
    if (session.usable && this.#closed === undefined) this.#idle.push(session);
    else this.#options.drop(session);
    this.#serve();
  }

  /** Asks a command that only waits to end. */
  interrupt(): void {
    const wanted = this.#wanted;
    this.#wanted = new AbortController();
    wanted.abort();
  }

  /** Turns away whoever waits for a shell, and drops those that are idle. */
  close(reason: unknown): void {
    this.#closed = { reason };
    clearTimeout(this.#patience);
    this.interrupt();
    for (const taker of this.#takers.splice(0)) taker.reject(reason);
    for (const session of this.#idle.splice(0)) this.#options.drop(session);
  }

  #serve(): void {
    if (this.#closed) return;
    for (let taker = this.#next(); taker; taker = this.#next()) {
      const session = this.#find(taker.purpose);
      if (!session) break;
      this.#remove(taker);
      this.#busy++;
      this.#movedAt = monotonic();
      if (taker.purpose === "wait") this.#home = session;
      taker.resolve({ session, wanted: this.#wanted.signal });
    }
    const first = this.#next();
    clearTimeout(this.#patience);
    if (first) this.#makeRoom(first);
  }

  /** Commands go before what only waits. */
  #next(): Taker | undefined {
    return this.#takers.find(({ purpose }) => purpose === "command") ?? this.#takers[0];
  }

  #find(purpose: Purpose): ShellSession | undefined {
    for (const dead of this.#idle.filter((session) => !session.usable)) {
      this.#idle.splice(this.#idle.indexOf(dead), 1);
      this.#options.drop(dead);
    }
    const isHome = (session: ShellSession) => session === this.#home;
    const preferred = this.#idle.find((session) => isHome(session) === (purpose === "wait"));
    const found = preferred ?? this.#idle[0];
    if (found) this.#idle.splice(this.#idle.indexOf(found), 1);
    return found;
  }

  #makeRoom(first: Taker): void {
    if (first.purpose === "command") this.interrupt();
    const shells = this.#busy + this.#opening;
    const waitedMs = monotonic() - Math.max(first.since, this.#movedAt);
    if (shells === 0 || (waitedMs >= PATIENCE_MS && this.#mayOpen)) {
      void this.#openFor(first);
    } else if (this.#mayOpen) {
      this.#patience = setTimeout(() => this.#serve(), PATIENCE_MS - waitedMs);
    }
  }

  get #mayOpen(): boolean {
    return this.#opening === 0 && this.#busy < MOST_SHELLS;
  }

  async #openFor(taker: Taker): Promise<void> {
    this.#opening++;
    try {
      const session = await this.#options.open();
      this.#opening--;
      this.#busy++;
      this.giveBack(session);
    } catch (reason) {
      this.#opening--;
      // Whoever was served meanwhile has no use for the reason.
      if (this.#remove(taker)) taker.reject(reason);
      this.#serve();
    }
  }

  #remove(taker: Taker): boolean {
    const at = this.#takers.indexOf(taker);
    if (at >= 0) this.#takers.splice(at, 1);
    return at >= 0;
  }
}
