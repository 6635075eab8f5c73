/** Which connection carries a channel: at most eight each, two connections, and a queue for the rest. */
import { GridError } from "../../core/errors.ts";
import type { Endpoint, TransportStats } from "../transport.ts";
import type { SshChannel } from "./channel.ts";
import type { SshConnection } from "./connection.ts";

export interface ConnectHooks {
  readonly onBytes: (direction: "sent" | "received", count: number) => void;
  readonly onFree: () => void;
}

/** Makes one logged-in connection, with the retries and the patience that takes. */
export type Connect = (endpoint: Endpoint, hooks: ConnectHooks) => Promise<SshConnection>;

/** OpenSSH allows 10 sessions, and closed ones linger for a moment. */
const MOST_CHANNELS = 8;
const MOST_CONNECTIONS = 2;
/** A connection unused for this long may be dead without our knowing, as after a laptop's sleep. */
const IDLE_MS = 15_000;
const PROBE_MS = 3000;

interface Slot {
  readonly connection: SshConnection;
  /** Learnt from the server's refusals. */
  limit: number;
}

export class ChannelBudget implements AsyncDisposable {
  readonly #endpoint: Endpoint;
  readonly #connect: Connect;
  #slots: Slot[] = [];
  #connecting: Promise<Slot> | undefined;
  #probing: Promise<void> | undefined;
  #waiting: (() => void)[] = [];
  #closed = false;
  #handshakes = 0;
  #reconnects = 0;
  #channels = 0;
  #bytesSent = 0;
  #bytesReceived = 0;

  constructor(endpoint: Endpoint, connect: Connect) {
    this.#endpoint = endpoint;
    this.#connect = connect;
  }

  /** @throws {GridError} a transport code */
  async open(command: string, signal?: AbortSignal): Promise<SshChannel> {
    for (;;) {
      signal?.throwIfAborted();
      const slot = await this.#freeSlot();
      const { connection } = slot;
      const load = connection.load;
      try {
        const channel = await connection.open(command);
        this.#channels++;
        return channel;
      } catch (error) {
        if (!isRefusal(error)) throw error;
        slot.limit = Math.max(1, Math.min(slot.limit, load));
        if (connection.load === 0) throw this.#refused();
      }
    }
  }

  /** Probes connections that have long been idle, and forgets those that are dead. */
  async checkIdle(): Promise<void> {
    this.#forgetLost();
    const idle = this.#slots.filter(({ connection }) => connection.idleMs > IDLE_MS);
    if (idle.length === 0) return;
    this.#probing ??= Promise.all(
      idle.map(({ connection }) => connection.probe(PROBE_MS).catch(() => {})),
    ).then(() => {
      this.#probing = undefined;
      this.#forgetLost();
    });
    await this.#probing;
  }

  get stats(): TransportStats {
    return {
      handshakes: this.#handshakes,
      reconnects: this.#reconnects,
      channels: this.#channels,
      bytesSent: this.#bytesSent,
      bytesReceived: this.#bytesReceived,
      roundTripMs: this.#slots[0]?.connection.roundTripMs,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#connecting?.catch(() => {});
    await Promise.all(this.#slots.map(({ connection }) => connection[Symbol.asyncDispose]()));
    this.#wake();
  }

  async #freeSlot(): Promise<Slot> {
    for (;;) {
      if (this.#closed) throw this.#disposed();
      this.#forgetLost();
      const free = this.#slots.find(({ connection, limit }) => connection.load < limit);
      if (free) return free;
      if (this.#slots.length < MOST_CONNECTIONS) {
        await (this.#connecting ??= this.#newSlot());
        continue;
      }
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }

  async #newSlot(): Promise<Slot> {
    try {
      const connection = await this.#connect(this.#endpoint, {
        onBytes: (direction, count) => {
          if (direction === "sent") this.#bytesSent += count;
          else this.#bytesReceived += count;
        },
        onFree: () => this.#wake(),
      });
      this.#handshakes++;
      const slot = { connection, limit: MOST_CHANNELS };
      this.#slots.push(slot);
      return slot;
    } finally {
      this.#connecting = undefined;
    }
  }

  #forgetLost(): void {
    const alive = this.#slots.filter(({ connection }) => connection.usable);
    const lost = this.#slots.filter(({ connection }) => !connection.usable);
    this.#slots = alive;
    this.#reconnects += lost.length;
    for (const { connection } of lost) void connection[Symbol.asyncDispose]();
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  #refused(): GridError {
    const { name } = this.#endpoint;
    return new GridError({
      code: "channel",
      message: `Cannot start a command on "${name}": the server allows no session (MaxSessions 0)`,
      hint: "raise MaxSessions in the server's sshd_config",
      node: name,
    });
  }

  #disposed(): GridError {
    const { name } = this.#endpoint;
    return new GridError({
      code: "lost",
      message: `Cannot run a command on "${name}": its transport is closed`,
      node: name,
    });
  }
}

/** By name, so that ssh2 is not loaded for a look. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && error.name === "ChannelRefused";
}
