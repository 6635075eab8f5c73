/** Which connection carries a channel: at most eight each, two connections, and a queue for the rest. */
import { monotonic, systemClock } from "../../core/clock.ts";
import { withDeadline } from "../../core/deadline.ts";
import { GridError } from "../../core/errors.ts";
import type { ShakeState } from "../handshakes.ts";
import type { Endpoint, TransportStats } from "../transport.ts";
import { Condition } from "./condition.ts";
import { Breaker } from "./breaker.ts";
import { disposed, noChannel, noSessions } from "./channel_problem.ts";
import { ChannelRefused, type Link, type LinkChannel } from "./link.ts";

export interface ConnectHooks {
  readonly onBytes: (direction: "sent" | "received", count: number) => void;
  /** A channel was closed, or the connection lost. */
  readonly onFree: () => void;
  readonly onState?: ((state: ShakeState) => void) | undefined;
}

/** Makes one logged-in connection, with the retries and the patience that takes. */
export type Connect = (
  hooks: ConnectHooks & { readonly signal: AbortSignal },
) => Promise<Link>;

export interface BudgetOptions {
  readonly connect: Connect;
  /** A channel must wait until another is closed. */
  readonly onStarved: () => void;
}

export interface OpenChannelOptions {
  readonly signal?: AbortSignal | undefined;
  /** One channel is always left to shells, so that long streams cannot lock out short commands. */
  readonly use: "shell" | "stream";
  /** The channel was given up while its command may still run. */
  readonly onAbandoned?: () => void;
  /** Asked whenever every channel is taken; else the call ends with `NoRoom`. */
  readonly mayWait: () => boolean;
}

/** Every channel is taken; nothing was sent. */
export class NoRoom extends Error {}

/** OpenSSH allows 10 sessions (MaxSessions), and closed ones linger for a moment. */
const MOST_CHANNELS = 8;
const MOST_CONNECTIONS = 2;
/** A connection unused for this long may be dead without our knowing, as after a laptop's sleep. */
const IDLE_MS = 15_000;
const PROBE_MS = 3000;
const LINGER_MS = 20;

interface Slot {
  readonly connection: Link;
  /** Learnt from the server's refusals. */
  limit: number;
  /** Channels it has carried at once. */
  most: number;
}

interface Place {
  readonly slot: Slot;
  /** Channels that are there before this one. */
  readonly others: number;
  readonly release: () => void;
  readonly opening: Promise<LinkChannel>;
}

export class ChannelBudget implements AsyncDisposable {
  readonly #endpoint: Endpoint;
  readonly #options: BudgetOptions;
  readonly #breaker = new Breaker({ now: monotonic });
  readonly #closing = new AbortController();
  #slots: Slot[] = [];
  #connecting: Promise<void> | undefined;
  /** Who waits should look again: a channel was closed, or a connection lost. */
  readonly #freed = new Condition();
  #handshakes = 0;
  #reconnects = 0;
  #channels = 0;
  #streams = 0;
  #bytesSent = 0;
  #bytesReceived = 0;
  #roundTripMs: number | undefined;
  #queuedMs = 0;
  /** Since when a connection waits for its turn, on the monotonic clock. */
  #queuedSince: number | undefined;
  #isSilent = false;

  constructor(endpoint: Endpoint, options: BudgetOptions) {
    this.#endpoint = endpoint;
    this.#options = options;
  }

  /** @throws {GridError} a transport code, or {NoRoom} */
  async open(command: string, options: OpenChannelOptions): Promise<LinkChannel> {
    for (let hasLost = false;;) {
      options.signal?.throwIfAborted();
      const { slot, others, release, opening } = await this.#place(command, options);
      try {
        const channel = await opening;
        this.#channels++;
        slot.most = Math.max(slot.most, slot.connection.load);
        void channel.closed.then(release);
        return channel;
      } catch (error) {
        release();
        // A server of one session ends the connection with it. A shell was told nothing yet.
        const isStale = isLost(error) && slot.most > 0 && options.use === "shell" && !hasLost;
        if (isStale) {
          hasLost = true;
          continue;
        }
        if (!(error instanceof ChannelRefused)) throw error;
        if (slot.most === 0 && others === 0) throw noSessions(this.#endpoint.name);
        slot.limit = Math.max(1, slot.most, Math.min(slot.limit, others));
        // Fewer than it has carried: the server has not yet forgotten a session that is closed.
        if (others < slot.limit) await systemClock.sleep(LINGER_MS, { signal: options.signal });
      }
    }
  }

  /** A connection that lives, made where there is none. @throws {GridError} a transport code */
  async anyLink(): Promise<Link> {
    await this.checkIdle();
    for (;;) {
      this.#closing.signal.throwIfAborted();
      this.#forgetLost();
      const [slot] = this.#slots;
      if (slot) return slot.connection;
      await (this.#connecting ??= this.#newSlot());
    }
  }

  /** Whoever waits may have to decide anew whether it may. */
  lookAgain(): void {
    this.#freed.tell();
  }

  /** Asks connections that were idle for long whether they still live, and forgets those that do not. */
  async checkIdle(): Promise<void> {
    await this.#probe(this.#slots.filter(({ connection }) => connection.idleMs > IDLE_MS));
  }

  /** Asks all connections; after this a dead one is lost, and known to be. */
  async checkAll(): Promise<void> {
    await this.#probe(this.#slots);
  }

  /** Closes connections without a channel. */
  async closeUnused(): Promise<void> {
    const unused = this.#slots.filter(({ connection }) => connection.load === 0);
    this.#slots = this.#slots.filter((slot) => !unused.includes(slot));
    await Promise.all(unused.map(({ connection }) => connection[Symbol.asyncDispose]()));
  }

  get stats(): TransportStats {
    return {
      handshakes: this.#handshakes,
      reconnects: this.#reconnects,
      channels: this.#channels,
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
      roundTripMs: this.#roundTripMs,
      isSilent: this.#isSilent,
      queuedMs: this.#queuedMs +
        (this.#queuedSince === undefined ? 0 : monotonic() - this.#queuedSince),
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(disposed(this.#endpoint.name));
    this.#freed.tell();
    await this.#connecting?.catch(() => {});
    await Promise.all(this.#slots.map(({ connection }) => connection[Symbol.asyncDispose]()));
  }

  /** Returns what gives the place back. */
  #reserve(use: OpenChannelOptions["use"]): () => void {
    const count = use === "stream" ? 1 : 0;
    this.#streams += count;
    return () => {
      this.#streams -= count;
      this.#freed.tell();
    };
  }

  #room(use: OpenChannelOptions["use"]): Slot | undefined {
    const isLast = this.#slots.length === MOST_CONNECTIONS &&
      this.#streams >= this.#slots.reduce((sum, { limit }) => sum + limit, 0) - 1;
    if (use === "stream" && isLast) return undefined;
    return this.#slots.find(({ connection, limit }) => connection.load < limit);
  }

  /** Waits for room, and takes it before anyone else can. */
  async #place(command: string, options: OpenChannelOptions): Promise<Place> {
    const { use, mayWait, signal } = options;
    for (;;) {
      this.#closing.signal.throwIfAborted();
      signal?.throwIfAborted();
      this.#forgetLost();
      const slot = this.#room(use);
      if (slot) {
        const others = slot.connection.load;
        const opening = this.#openOn(slot.connection, { command, ...options });
        return { slot, others, release: this.#reserve(use), opening };
      }
      if (this.#slots.length < MOST_CONNECTIONS) {
        await (this.#connecting ??= this.#newSlot());
      } else if (!mayWait()) {
        throw new NoRoom();
      } else {
        this.#options.onStarved();
        await this.#freed.next();
      }
    }
  }

  async #newSlot(): Promise<void> {
    const onState = (state: ShakeState) => {
      const now = monotonic();
      this.#queuedMs += now - (this.#queuedSince ?? now);
      this.#queuedSince = state === "queued" ? now : undefined;
      this.#isSilent = state === "silent";
    };
    try {
      const connection = await this.#breaker.attempt(() => {
        // What is asked of ssh beforehand has a line of its own.
        onState("queued");
        return this.#options.connect({
          onBytes: (direction, count) => {
            if (direction === "sent") this.#bytesSent += count;
            else this.#bytesReceived += count;
          },
          onFree: () => this.#freed.tell(),
          onState,
          signal: this.#closing.signal,
        });
      });
      this.#handshakes++;
      // The same server will allow the same again.
      const limit = Math.min(MOST_CHANNELS, ...this.#slots.map((slot) => slot.limit));
      this.#slots.push({ connection, limit, most: 0 });
      // In passing: nobody waits for it.
      connection.measure().then(() => this.#roundTripMs = connection.roundTripMs, () => {});
    } finally {
      onState("working");
      this.#connecting = undefined;
    }
  }

  async #openOn(
    connection: Link,
    { command, onAbandoned }: { readonly command: string } & OpenChannelOptions,
  ): Promise<LinkChannel> {
    const opening = connection.open(command, onAbandoned);
    const ms = this.#endpoint.commandTimeoutMs;
    let late = false;
    opening.then((channel) => late ? channel[Symbol.asyncDispose]() : undefined, () => {});
    try {
      return await withDeadline(() => opening, {
        ms,
        error: () => noChannel(this.#endpoint.name, ms),
      });
    } catch (error) {
      late = true;
      // Is it the command that cannot start, or the whole connection that is dead?
      if (error instanceof GridError && error.code === "channel") await connection.probe(PROBE_MS);
      throw error;
    }
  }

  async #probe(slots: readonly Slot[]): Promise<void> {
    await Promise.all(slots.map(async ({ connection }) => {
      // A dead one is lost from now on; whoever uses it next hears of it.
      await connection.probe(PROBE_MS).catch(() => {});
      this.#roundTripMs = connection.roundTripMs ?? this.#roundTripMs;
    }));
    this.#forgetLost();
  }

  #forgetLost(): void {
    const lost = this.#slots.filter(({ connection }) => !connection.usable);
    if (lost.length === 0) return;
    this.#slots = this.#slots.filter(({ connection }) => connection.usable);
    this.#reconnects += lost.length;
  }
}

function isLost(error: unknown): boolean {
  return error instanceof GridError && error.code === "lost";
}
