/** A master and the channels on it, shaped like the connections that `ChannelBudget` keeps. */
import { withDeadline } from "../../core/deadline.ts";
import type { GridError } from "../../core/errors.ts";
import type { SshChannel } from "../ssh/channel.ts";
import type { ConnectHooks } from "../ssh/channel_budget.ts";
import { ChannelRefused, type SshConnection } from "../ssh/connection.ts";
import { explainEarlyEnd, explainSlowStart, lostBecause } from "./channel_problem.ts";
import type { Master } from "./master.ts";
import { MuxChannel } from "./mux_channel.ts";
import { askForSession, sessionIn, spawnClient } from "./mux_client.ts";

/** What a class shows, without what it hides: another class may look the same. */
type Shape<T> = { [K in keyof T]: T[K] };
type ConnectionShape = Omit<Shape<SshConnection>, "open" | "forward"> & {
  open(command: string, onAbandoned?: () => void): Promise<Shape<SshChannel>>;
};

export class MuxConnection implements ConnectionShape {
  /** Unknown: ssh does not tell how long an answer takes. */
  readonly roundTripMs = undefined;
  readonly #master: Master;
  readonly #hooks: ConnectHooks;
  readonly #channels = new Set<MuxChannel>();
  #lost: GridError | undefined;
  #lastUsed = performance.now();
  #received = 0;
  #waiting = 0;
  /** Whether a channel was opened before. */
  #isProven = false;
  /** The one that is being opened while none was before. */
  #first: Promise<void> | undefined;

  constructor(master: Master, hooks: ConnectHooks) {
    this.#master = master;
    this.#hooks = hooks;
    void master.lost.then((reason) => this.#lose(reason));
  }

  get usable(): boolean {
    return this.#lost === undefined;
  }

  /** Channels open or being opened. */
  get load(): number {
    return this.#channels.size + this.#waiting;
  }

  get idleMs(): number {
    return performance.now() - this.#lastUsed;
  }

  /** @throws {ChannelRefused} or {GridError} `lost`, `channel`, `shell` */
  async open(command: string, onAbandoned = () => {}): Promise<MuxChannel> {
    if (this.#lost) throw this.#lost;
    const log = this.#master.newFile();
    let channel: MuxChannel | undefined;
    try {
      // Begun before the caller's own deadline of the same length, so it is the one that passes.
      return await withDeadline(async (signal) => {
        using _turn = await this.#takeTurn(signal);
        channel = this.#start(command, { log, onAbandoned });
        await Promise.race([channel.started, this.#failure(channel, log)]);
        this.#isProven = true;
        return channel;
      }, {
        ms: this.#master.endpoint.commandTimeoutMs,
        error: () => this.#tooSlow(channel, log),
      });
    } catch (error) {
      // The caller is told at once.
      void channel?.[Symbol.asyncDispose]();
      throw error;
    } finally {
      remove(log);
      this.#lastUsed = performance.now();
    }
  }

  /** A connection that gives no sign of life within `ms` is given up. */
  async probe(ms: number): Promise<void> {
    const before = this.#received;
    const asking = withDeadline((signal) => askForSession(this.#master, signal), {
      ms,
      error: () => lostBecause(this.#master.endpoint, `no answer to a probe within ${ms} ms`),
    });
    try {
      // A no is an answer too.
      const lost = await asking === undefined ? await this.#whetherLost() : undefined;
      if (lost) this.#lose(lost);
      this.#lastUsed = performance.now();
    } catch (error) {
      // The answer may queue behind a large transfer on a slow link.
      if (this.#received > before) return;
      this.#lose(error as GridError);
      this.#master.kill();
    }
    if (this.#lost) throw this.#lost;
  }

  /** Nothing to do: see `roundTripMs`. */
  measure(): Promise<void> {
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lose(lostBecause(this.#master.endpoint, "it was closed by Grid"));
    await this.#master[Symbol.asyncDispose]();
    await Promise.all([...this.#channels].map((channel) => channel[Symbol.asyncDispose]()));
  }

  /**
   * Until one channel has opened they come one by one: who asked first must be answered first, since
   * a server that refuses the first allows none.
   */
  async #takeTurn(signal: AbortSignal): Promise<Disposable> {
    this.#waiting++;
    try {
      while (!this.#isProven && this.#first) await this.#first;
    } finally {
      this.#waiting--;
    }
    signal.throwIfAborted();
    if (this.#lost) throw this.#lost;
    const over = Promise.withResolvers<void>();
    this.#first = over.promise;
    return {
      [Symbol.dispose]: () => {
        if (this.#first === over.promise) this.#first = undefined;
        over.resolve();
      },
    };
  }

  #start(
    command: string,
    { log, onAbandoned }: { readonly log: string; readonly onAbandoned: () => void },
  ): MuxChannel {
    const channel = new MuxChannel({
      command,
      // Standard streams are the command's: ssh's own words go to a file.
      spawn: (line) => spawnClient(this.#master, { line, log }),
      onBytes: (direction, count) => {
        if (direction === "received") this.#received += count;
        this.#hooks.onBytes(direction, count);
      },
      onAbandoned,
      lostError: () => this.#whetherLost(),
      closedError: () => lostBecause(this.#master.endpoint, "the channel was closed"),
    });
    this.#channels.add(channel);
    void channel.closed.then(() => {
      this.#channels.delete(channel);
      this.#hooks.onFree();
    });
    return channel;
  }

  /** Settles where a channel's ssh ends, with the reason where its command had not begun. */
  async #failure(channel: MuxChannel, log: string): Promise<void> {
    await channel.drained;
    const { code } = await channel.status;
    if (channel.hasStarted || channel.isDisposed) return;
    const said = readText(log);
    if (sessionIn(said) === "refused") throw new ChannelRefused();
    throw this.#lost ?? await this.#whetherLost() ??
      explainEarlyEnd(this.#master.endpoint, { said, code, printed: channel.preview });
  }

  #tooSlow(channel: MuxChannel | undefined, log: string): GridError {
    // Without a channel it waited for another one's login shell.
    const isOpened = channel === undefined || sessionIn(readText(log)) === "opened";
    return explainSlowStart(this.#master.endpoint, isOpened ? "opened" : "asked");
  }

  async #whetherLost(): Promise<GridError | undefined> {
    if (await this.#master.isAlive()) return undefined;
    this.#master.kill();
    return this.#lost ?? await this.#master.lost;
  }

  #lose(reason: GridError): void {
    if (this.#lost) return;
    this.#lost = reason;
    for (const channel of this.#channels) channel.lose(reason);
    this.#hooks.onFree();
  }
}

function readText(file: string): string {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

function remove(file: string): void {
  try {
    Deno.removeSync(file);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
