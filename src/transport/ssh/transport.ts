/** A node behind sshd: connections made when needed, shared by all, made anew after a loss. */
import { raceAbort } from "../../core/deadline.ts";
import { GridError } from "../../core/errors.ts";
import { quote } from "../../core/shell.ts";
import { openShellChannel, type Shell, SHELL_COMMAND } from "../shell_channel.ts";
import type {
  Channel,
  Endpoint,
  ExecOptions,
  ExecResult,
  OpenOptions,
  Transport,
  TransportStats,
} from "../transport.ts";
import { ChannelBudget, type Connect } from "./channel_budget.ts";

export interface SshTransportOptions {
  readonly connect: Connect;
}

export class SshTransport implements Transport {
  readonly endpoint: Endpoint;
  readonly #budget: ChannelBudget;
  readonly #shell: Shell;
  #closed = false;

  constructor(endpoint: Endpoint, options: SshTransportOptions) {
    this.endpoint = endpoint;
    this.#budget = new ChannelBudget(endpoint, options.connect);
    this.#shell = openShellChannel({ endpoint, open: () => this.#budget.open(SHELL_COMMAND) });
  }

  async exec(command: string, options: ExecOptions = {}): Promise<ExecResult> {
    this.#checkOpen(options.signal);
    const work = async () => {
      await this.#budget.checkIdle();
      return await this.#shell.exec(command, options);
    };
    return await (options.signal ? raceAbort(work(), options.signal) : work());
  }

  async open(command: string, options: OpenOptions = {}): Promise<Channel> {
    this.#checkOpen(options.signal);
    const opening = this.#budget.checkIdle()
      .then(() => this.#budget.open(`exec /bin/sh -c ${quote(command)}`, options.signal));
    if (!options.signal) return await opening;
    try {
      return await raceAbort(opening, options.signal);
    } catch (error) {
      // A channel that opens after all is nobody's.
      opening.then((channel) => channel[Symbol.asyncDispose]()).catch(() => {});
      throw error;
    }
  }

  get stats(): TransportStats {
    return this.#budget.stats;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    await this.#shell[Symbol.asyncDispose]();
    await this.#budget[Symbol.asyncDispose]();
  }

  #checkOpen(signal: AbortSignal | undefined): void {
    signal?.throwIfAborted();
    if (!this.#closed) return;
    const { name } = this.endpoint;
    throw new GridError({
      code: "lost",
      message: `Cannot run a command on "${name}": its transport is closed`,
      node: name,
    });
  }
}
