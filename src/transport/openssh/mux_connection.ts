/** A master and the channels on it. */
import { monotonic, systemClock } from "../../core/clock.ts";
import { withDeadline } from "../../core/deadline.ts";
import type { GridError } from "../../core/errors.ts";
import { Condition } from "../ssh/condition.ts";
import type { ConnectHooks } from "../ssh/channel_budget.ts";
import { ChannelRefused, type Link } from "../ssh/link.ts";
import { runInTerminal } from "../own_terminal.ts";
import type { ChannelExit, Dialed, DialTarget, Screen, TerminalOptions } from "../transport.ts";
import type { Carrier } from "./carrier.ts";
import { explainEarlyEnd, explainSlowStart, lostBecause } from "./lost_channel.ts";
import { MuxChannel } from "./mux_channel.ts";
import { dialThrough } from "./mux_dial.ts";
import { askForSession, sessionIn, spawnClient, terminalArgs } from "./mux_client.ts";

/** OpenSSH allows 10 sessions (MaxSessions), and closed ones linger for a moment. */
const MOST_CHANNELS = 8;
const LINGER_MS = 20;
/** Refusals that closed sessions may explain. */
const MOST_ATTEMPTS = 3;

export class MuxConnection implements Link {
  /** Unknown: ssh does not tell how long an answer takes. */
  readonly roundTripMs = undefined;
  readonly #master: Carrier;
  readonly #hooks: ConnectHooks;
  readonly #channels = new Set<MuxChannel>();
  #lost: GridError | undefined;
  #lastUsed = monotonic();
  #received = 0;
  /** A channel was opened, or was not. */
  readonly #answered = new Condition();
  #opening = 0;
  /** Most channels that were open at once. */
  #most = 0;
  /** Learnt from the server's refusals. */
  #limit = MOST_CHANNELS;

  constructor(master: Carrier, hooks: ConnectHooks) {
    this.#master = master;
    this.#hooks = hooks;
    void master.lost.then((reason) => {
      if (this.#lost) return;
      this.#lost = reason;
      for (const channel of this.#channels) void channel.outlive(reason);
      this.#hooks.onFree();
    });
  }

  get usable(): boolean {
    return this.#lost === undefined;
  }

  /** Channels that are open. What is being opened may yet be refused, in any order. */
  get load(): number {
    return [...this.#channels].filter(({ isOpen }) => isOpen).length;
  }

  get idleMs(): number {
    return monotonic() - this.#lastUsed;
  }

  /** @throws {ChannelRefused} or {GridError} `lost`, `channel`, `shell` */
  async open(command: string, onAbandoned = () => {}): Promise<MuxChannel> {
    if (this.#lost) throw this.#lost;
    const log = this.#master.newFile();
    let channel: MuxChannel | undefined;
    try {
      // Begun before the caller's own deadline of the same length, so it is the one that passes.
      return await withDeadline(async (signal) => {
        for (let attempt = 1;; attempt++) {
          {
            using _turn = await this.#takeTurn(signal);
            channel = this.#start(command, { log, onAbandoned });
            if (await this.#hasCome(channel, log)) return channel;
          }
          remove(log);
          await this.#judgeRefusal(attempt);
          await systemClock.sleep(LINGER_MS, { signal });
        }
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
      this.#lastUsed = monotonic();
    }
  }

  async dial(target: DialTarget): Promise<Dialed> {
    if (this.#lost) throw this.#lost;
    const dialed = await dialThrough(this.#master, target);
    this.#lastUsed = monotonic();
    if ("readable" in dialed) return this.#watched(dialed);
    throw await this.#whetherLost() ?? dialed.refused;
  }

  /** A connection ends the same for `ssh -W` whether its other end closed it or the master has gone. */
  #watched(dialed: Dialed): Dialed {
    const flush = async () => {
      const lost = this.#lost ?? await this.#whetherLost();
      if (lost) throw lost;
    };
    return {
      readable: dialed.readable.pipeThrough(new TransformStream({ flush })),
      writable: dialed.writable,
      [Symbol.asyncDispose]: () => dialed[Symbol.asyncDispose](),
    };
  }

  async terminal(_screen: Screen, options: TerminalOptions): Promise<ChannelExit> {
    if (this.#lost) throw this.#lost;
    const { command, signal } = options;
    const exit = await runInTerminal(terminalArgs(this.#master, command), {
      signal,
      env: this.#master.env,
    });
    const lost = exit.kind === "code" && exit.code === 255 && await this.#whetherLost();
    if (lost) throw lost;
    return exit;
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
      this.#lastUsed = monotonic();
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
    await Promise.all([...this.#channels].map(async (channel) => {
      await channel[Symbol.asyncDispose]();
      await channel.closed;
    }));
  }

  /**
   * Until one channel has opened they come one by one: who asked first must be answered first, since
   * a server that refuses the first allows none. Later no more come than may be let in.
   */
  async #takeTurn(signal: AbortSignal): Promise<Disposable> {
    while (this.load + this.#opening >= (this.#most === 0 ? 1 : this.#limit)) {
      if (this.#opening === 0) {
        // Not at once: whoever keeps the budget must hear of the open ones first.
        await systemClock.sleep(LINGER_MS, { signal });
        throw new ChannelRefused();
      }
      await this.#answered.next();
      signal.throwIfAborted();
    }
    if (this.#lost) throw this.#lost;
    this.#opening++;
    return {
      [Symbol.dispose]: () => {
        this.#opening--;
        this.#answered.tell();
      },
    };
  }

  /**
   * Throws where a refusal tells how many the server allows; else the server has only not yet
   * forgotten a session that is closed. Whoever keeps the budget learns from what is open when it
   * hears of a refusal, so those that were asked for at the same time come first.
   */
  async #judgeRefusal(attempt: number): Promise<void> {
    if (this.#most === 0) throw new ChannelRefused();
    for (let others = this.#opening; others > 0 && this.#opening > 0; others--) {
      await this.#answered.next();
    }
    const { load } = this;
    const isLingering = [...this.#channels].some((channel) => channel.isEnding);
    if (load === 0 || (isLingering && attempt < MOST_ATTEMPTS)) return;
    this.#limit = Math.max(1, this.#most, Math.min(this.#limit, load));
    throw new ChannelRefused();
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
    void channel.exit.finally(() => this.#hooks.onFree()).catch(() => {});
    void channel.closed.then(() => {
      this.#channels.delete(channel);
      this.#hooks.onFree();
    });
    return channel;
  }

  /** False where the server refused the session. */
  async #hasCome(channel: MuxChannel, log: string): Promise<boolean> {
    await Promise.race([channel.started, channel.drained]);
    if (!channel.hasStarted && !channel.isDisposed) return await this.#explain(channel, log);
    this.#most = Math.max(this.#most, this.load);
    return true;
  }

  async #explain(channel: MuxChannel, log: string): Promise<false> {
    const { code } = await channel.status;
    const said = readText(log);
    if (sessionIn(said) !== "refused") {
      throw this.#lost ?? await this.#whetherLost() ??
        explainEarlyEnd(this.#master.endpoint, { said, code, printed: channel.preview });
    }
    return false;
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
