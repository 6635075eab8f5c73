/** A node behind sshd: connections made when needed, shared by all, made anew after a loss. */
import { raceAbort, withDeadline } from "../../core/deadline.ts";
import { GridError } from "../../core/errors.ts";
import { randomWord } from "../../core/ids.ts";
import { getLogger } from "../../core/log.ts";
import { openShellChannel, type Shell } from "../shell/shell_channel.ts";
import type {
  Channel,
  ChannelExit,
  Dialed,
  DialTarget,
  Endpoint,
  ExecOptions,
  ExecResult,
  OpenOptions,
  Screen,
  TerminalOptions,
  Transport,
  TransportStats,
  WaitOptions,
} from "../transport.ts";
import { endCommand, loginCommand } from "./login_command.ts";
import { BulkWay, type ConnectBeside } from "./bulk_way.ts";
import { Condition } from "./condition.ts";
import { ChannelBudget, type Connect, NoRoom } from "./channel_budget.ts";

const log = getLogger("transport");

export interface SshTransportOptions {
  readonly connect: Connect;
  readonly connectBeside: ConnectBeside;
}

export class SshTransport implements Transport {
  readonly endpoint: Endpoint;
  readonly #budget: ChannelBudget;
  /** Undefined before the first command, and after its channels were given up for others. */
  #shell: Shell | undefined;
  readonly #sweeps = new Set<Promise<void>>();
  #running = 0;
  /** Someone waits for a channel that an idle shell may hold. */
  #starved = false;
  readonly #shells = { open: 0, opening: 0 };
  /** A command ended, or a shell was closed. */
  readonly #room = new Condition();
  /** No command runs. */
  readonly #quiet = new Condition();
  readonly #bulk: BulkWay;
  readonly #bulkBytes = { sent: 0, received: 0 };

  constructor(endpoint: Endpoint, { connect, connectBeside }: SshTransportOptions) {
    this.endpoint = endpoint;
    this.#bulk = new BulkWay({
      node: endpoint.name,
      connect: connectBeside,
      own: () => this.#budget.anyLink(),
      exec: async (command) => (await this.exec(command)).stdout,
      onBytes: (direction, count) => this.#bulkBytes[direction] += count,
    });
    this.#budget = new ChannelBudget(endpoint, {
      connect,
      onStarved: () => {
        this.#starved = true;
        if (this.#running === 0) void this.#dropShell();
        else this.#shell?.interrupt();
      },
    });
  }

  async exec(command: string, options: ExecOptions = {}): Promise<ExecResult> {
    const { signal } = options;
    signal?.throwIfAborted();
    const work = this.#withShell((shell) => shell.exec(command, options));
    return await (signal ? raceAbort(work, signal) : work);
  }

  async wait(command: string, options: WaitOptions): Promise<Uint8Array> {
    return await this.#withShell((shell) => shell.wait(command, options));
  }

  async open(command: string, { signal, isBulk = false }: OpenOptions = {}): Promise<Channel> {
    signal?.throwIfAborted();
    const word = randomWord(20);
    const line = loginCommand(command, word);
    const onAbandoned = () => this.#sweep(word);
    const openOwn = async () => {
      await this.#budget.checkIdle();
      const options = { signal, use: "stream", mayWait: () => true, onAbandoned } as const;
      return await this.#budget.open(line, options);
    };
    const opening = isBulk
      ? this.#bulk.open(line, onAbandoned).then((channel) => channel ?? openOwn())
      : openOwn();
    if (!signal) return await opening;
    try {
      return await raceAbort(opening, signal);
    } catch (error) {
      // A channel that opens after all is nobody's.
      opening.then((channel) => channel[Symbol.asyncDispose](), () => {});
      throw error;
    }
  }

  async dial(target: DialTarget, { signal }: OpenOptions = {}): Promise<Dialed> {
    signal?.throwIfAborted();
    const { commandTimeoutMs: ms, name } = this.endpoint;
    const dialing = withDeadline(async () => await (await this.#budget.anyLink()).dial(target), {
      ms,
      error: () =>
        new GridError({
          code: "tcp",
          message: `Cannot connect to ${target.host}:${target.port} on "${name}": no answer`,
          node: name,
        }),
    });
    if (!signal) return await dialing;
    try {
      return await raceAbort(dialing, signal);
    } catch (error) {
      dialing.then((dialed) => dialed[Symbol.asyncDispose](), () => {});
      throw error;
    }
  }

  async terminal(screen: Screen, options: TerminalOptions = {}): Promise<ChannelExit> {
    // Its one session is a person's; others of this process do not come in its way.
    await this.#dropShell();
    return await (await this.#budget.anyLink()).terminal(screen, options);
  }

  expectBulk(): Promise<boolean> {
    return this.#bulk.expect();
  }

  async rest(): Promise<void> {
    if (this.#running > 0) return;
    await this.#dropShell();
    await withDeadline(() => this.#noShells(), {
      ms: this.endpoint.commandTimeoutMs,
      error: () => noRest(this.endpoint),
    });
    if (this.#running === 0) await this.#budget.closeUnused();
  }

  get stats(): TransportStats {
    const { stats } = this.#budget;
    return {
      ...stats,
      handshakes: stats.handshakes + this.#bulk.handshakes,
      bytesSent: stats.bytesSent + this.#bulkBytes.sent,
      bytesReceived: stats.bytesReceived + this.#bulkBytes.received,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#bulk[Symbol.asyncDispose]();
    await Promise.all(this.#sweeps);
    await this.#dropShell();
    await this.#budget[Symbol.asyncDispose]();
  }

  /** A signal over SSH is not enough: it reaches no child that left the group, and none of root's. */
  #sweep(word: string): void {
    const sweep: Promise<void> = this.#withShell((shell) => shell.exec(endCommand(word)))
      .then(
        () => {},
        (problem) =>
          log.warn("{node}: cannot look for what a closed channel left running: {problem}", {
            node: this.endpoint.name,
            problem: String(problem),
          }),
      )
      .finally(() => this.#sweeps.delete(sweep));
    this.#sweeps.add(sweep);
  }

  async #withShell<T>(work: (shell: Shell) => Promise<T>): Promise<T> {
    await this.#budget.checkIdle();
    for (;;) {
      while (this.#starved && this.#running > 0) await this.#quiet.next();
      const seen = this.#room.count;
      this.#running++;
      try {
        this.#shell ??= openShellChannel({
          endpoint: this.endpoint,
          open: (command) => this.#openShell(command),
        });
        const result = await work(this.#shell);
        this.#room.tell();
        return result;
      } catch (error) {
        if (!(error instanceof NoRoom)) {
          this.#room.tell();
          throw await this.#diagnose(error);
        }
      } finally {
        this.#running--;
        if (this.#running === 0 && this.#starved) await this.#dropShell();
        if (this.#running === 0) this.#quiet.tell();
      }
      if (this.#room.count === seen) await this.#room.next();
    }
  }

  /** Waits for room only as long as no other shell could serve the command as well. */
  async #openShell(command: string): Promise<Channel> {
    const isFirst = this.#shells.opening === 0;
    this.#shells.opening++;
    try {
      const channel = await this.#budget.open(command, {
        use: "shell",
        mayWait: () => isFirst && this.#shells.open === 0,
      });
      this.#shells.open++;
      this.#budget.lookAgain();
      void channel.closed.then(() => {
        this.#shells.open--;
        this.#room.tell();
      });
      return channel;
    } finally {
      this.#shells.opening--;
    }
  }

  /** A command without an answer may mean a node without a heartbeat. */
  async #diagnose(error: unknown): Promise<unknown> {
    if (!(error instanceof GridError) || error.code !== "timed-out") return error;
    const before = this.#budget.stats.reconnects;
    await this.#budget.checkAll();
    if (this.#budget.stats.reconnects === before) return error;
    const { name } = this.endpoint;
    return new GridError({
      code: "lost",
      message: `Cannot finish a command on "${name}": the node stopped answering`,
      hint: `is it up, and is its network? ssh ${name} uptime`,
      node: name,
      cause: error,
    });
  }

  /** The server has let go of them a moment after we did. */
  async #noShells(): Promise<void> {
    while (this.#shells.open > 0 && this.#running === 0) await this.#room.next();
  }

  async #dropShell(): Promise<void> {
    const shell = this.#shell;
    this.#shell = undefined;
    this.#starved = false;
    await shell?.[Symbol.asyncDispose]();
  }
}

function noRest({ name }: Endpoint): GridError {
  const message = `Cannot let go of "${name}": its server does not close an idle shell`;
  return new GridError({ code: "channel", message, node: name });
}
