/** A master and the channels on it, shaped like the connections that `ChannelBudget` keeps. */
import { withDeadline } from "../../core/deadline.ts";
import { GridError } from "../../core/errors.ts";
import type { SshChannel } from "../ssh/channel.ts";
import type { ConnectHooks } from "../ssh/channel_budget.ts";
import { ChannelRefused, type SshConnection } from "../ssh/connection.ts";
import type { Master } from "./master.ts";
import { MuxChannel } from "./mux_channel.ts";

/** What a class shows, without what it hides: another class may look the same. */
type Shape<T> = { [K in keyof T]: T[K] };
type ConnectionShape = Omit<Shape<SshConnection>, "open" | "forward"> & {
  open(command: string, onAbandoned?: () => void): Promise<Shape<SshChannel>>;
};

/** Words of ssh where the server opens no session. */
const REFUSED = /session request failed|Session open refused by peer/;
/** Words of ssh, at `LogLevel DEBUG1`, once the server has opened a session. */
const OPENED = /master session id/;

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
    const asking = this.#spawn(":", { options: [], stdio: "null" });
    try {
      await withDeadline(() => this.#answerTo(asking), {
        ms,
        error: () => this.#problem("lost", `no answer to a probe within ${ms} ms`),
      });
      this.#lastUsed = performance.now();
    } catch (error) {
      // The answer may queue behind a large transfer on a slow link.
      if (this.#received > before || !(error instanceof GridError)) return;
      this.#lose(error);
      this.#master.kill();
    } finally {
      await end(asking);
    }
    if (this.#lost) throw this.#lost;
  }

  /** Nothing to do: see `roundTripMs`. */
  measure(): Promise<void> {
    return Promise.resolve();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#lose(this.#problem("lost", "it was closed by Grid"));
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
      spawn: (line) => this.#spawn(line, { options: ["-E", log], stdio: "piped" }),
      onBytes: (direction, count) => {
        if (direction === "received") this.#received += count;
        this.#hooks.onBytes(direction, count);
      },
      onAbandoned,
      lostError: () => this.#whetherLost(),
      closedError: () => this.#problem("lost", "the command's channel was closed"),
    });
    this.#channels.add(channel);
    void channel.closed.then(() => {
      this.#channels.delete(channel);
      this.#hooks.onFree();
    });
    return channel;
  }

  #spawn(
    line: string,
    { options, stdio }: { readonly options: readonly string[]; readonly stdio: "piped" | "null" },
  ): Deno.ChildProcess {
    const { endpoint, env, socket } = this.#master;
    return new Deno.Command("ssh", {
      args: [...CLIENT_ARGS, ...options, "-S", socket, "--", endpoint.name, line],
      env,
      stdin: stdio,
      stdout: stdio,
      stderr: "piped",
      detached: true,
    }).spawn();
  }

  async #answerTo(asking: Deno.ChildProcess): Promise<void> {
    let said = "";
    for await (const text of asking.stderr.pipeThrough(new TextDecoderStream())) {
      said += text;
      // A no is an answer too.
      if (OPENED.test(said) || REFUSED.test(said)) return;
    }
    throw await this.#whetherLost() ?? new Error(said);
  }

  /** Settles where a channel's ssh ends, with the reason where its command had not begun. */
  async #failure(channel: MuxChannel, log: string): Promise<void> {
    await channel.drained;
    const { code } = await channel.status;
    if (channel.hasStarted || channel.isDisposed) return;
    const said = readText(log);
    if (REFUSED.test(said)) throw new ChannelRefused();
    const lost = this.#lost ?? await this.#whetherLost();
    if (lost) throw lost;
    if (!OPENED.test(said)) {
      const words = said.split("\n").findLast((line) => line !== "" && !line.startsWith("debug"));
      throw this.#problem("channel", words?.trim() ?? `ssh ended with ${code}`);
    }
    const printed = channel.preview.trim().split("\n").findLast((line) => line !== "");
    throw this.#shellProblem(
      `the login shell ended before the command (exit ${code})${printed ? `: ${printed}` : ""}`,
    );
  }

  #tooSlow(channel: MuxChannel | undefined, log: string): GridError {
    const time = `within ${this.#master.endpoint.commandTimeoutMs} ms`;
    // Without a channel it waited for another one's login shell.
    return channel === undefined || OPENED.test(readText(log))
      ? this.#shellProblem(`the login shell did not come to the command ${time}`)
      : this.#problem("channel", `the server opened no channel ${time}`);
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

  #shellProblem(state: string): GridError {
    const { name } = this.#master.endpoint;
    const hint =
      "the account may be limited to other uses (a restricted shell, ForceCommand), or " +
      `its start-up files leave or wait for input: ssh ${name} /bin/sh -c :`;
    return this.#problem("shell", state, hint);
  }

  #problem(code: "lost" | "channel" | "shell", state: string, hint?: string): GridError {
    const { name } = this.#master.endpoint;
    const message = code === "lost"
      ? `Cannot go on with "${name}": the connection was lost (${state})`
      : `Cannot start a command on "${name}": ${state}`;
    return new GridError({ code, message, hint, node: name });
  }
}

/** No file of the user's is read again, and where the master has gone nothing else is tried. */
const CLIENT_ARGS = [
  "-F",
  "/dev/null",
  "-T",
  ...["ControlMaster=no", "ProxyCommand=false", "BatchMode=yes", "LogLevel=DEBUG1"].flatMap((
    option,
  ) => ["-o", option]),
];

async function end(child: Deno.ChildProcess): Promise<void> {
  try {
    child.kill("SIGKILL");
  } catch (error) {
    // It has ended already.
    if (!(error instanceof Deno.errors.NotFound || error instanceof TypeError)) throw error;
  }
  if (!child.stderr.locked) await child.stderr.cancel();
  await child.status;
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
