/** One logged-in connection to a node and the channels on it. */
import type { Duplex } from "node:stream";
import type { Client, ClientChannel } from "./ssh2_library.ts";
import { monotonic } from "../../core/clock.ts";
import { withDeadline } from "../../core/deadline.ts";
import { GridError } from "../../core/errors.ts";
import { forwardingForbidden, nobodyListens } from "../dial_problem.ts";
import { randomWord } from "../../core/ids.ts";
import { thrownWords } from "../../core/refusal.ts";
import type { ChannelExit, Dialed, DialTarget, Screen, TerminalOptions } from "../transport.ts";
import { SshChannel } from "./channel.ts";
import { type DialedStream, dialedStream } from "./dialed_stream.ts";
import { ChannelRefused, type Link } from "./link.ts";
import { loginCommand } from "./login_command.ts";
import { onScreen } from "./on_screen.ts";
import { ping } from "./ssh2_internals.ts";

export interface ConnectionOptions {
  readonly node: string;
  readonly keyFiles?: readonly string[] | undefined;
  readonly onBytes: (direction: "sent" | "received", count: number) => void;
  /** A channel was closed, so another may be opened. */
  readonly onFree: () => void;
}

/** RFC 4254, section 5.1: 1 is "administratively prohibited", as for a forbidden forward. */
const PROHIBITED = 1;

export interface ForwardTarget {
  readonly node: string;
  readonly host: string;
  readonly port: number;
}

export class SshConnection implements Link {
  readonly #client: Client;
  readonly #options: ConnectionOptions;
  readonly #channels = new Set<SshChannel>();
  readonly #dialed = new Set<DialedStream>();
  readonly #closed = Promise.withResolvers<void>();
  #opening = 0;
  #hasCarried = false;
  #received = 0;
  #lost: GridError | undefined;
  #lastUsed = monotonic();
  roundTripMs: number | undefined;

  constructor(client: Client, options: ConnectionOptions) {
    this.#client = client;
    this.#options = options;
    client.removeAllListeners("error").removeAllListeners("close");
    client.on("error", (error) => this.#lose(error.message));
    client.on("close", () => {
      this.#lose("the connection was closed");
      this.#closed.resolve();
    });
  }

  get keyFiles(): readonly string[] | undefined {
    return this.#options.keyFiles;
  }

  get usable(): boolean {
    return this.#lost === undefined;
  }

  /** Channels open or being opened. */
  get load(): number {
    return this.#channels.size + this.#opening;
  }

  get idleMs(): number {
    return monotonic() - this.#lastUsed;
  }

  /** @throws {ChannelRefused} or {GridError} `lost`, `channel` */
  async open(command: string, onAbandoned = () => {}): Promise<SshChannel> {
    if (this.#lost) throw this.#lost;
    this.#opening++;
    try {
      return await this.#exec(command, onAbandoned);
    } finally {
      this.#opening--;
      this.#lastUsed = monotonic();
    }
  }

  /** A connection from the far side to another machine; it does not count as a session there. */
  async forward(target: ForwardTarget): Promise<Duplex> {
    if (this.#lost) throw this.#lost;
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
    this.#send((client) =>
      client.forwardOut("127.0.0.1", 0, target.host, target.port, (error, stream) => {
        if (error) reject(this.#lost ?? this.#forwardError(error, target));
        else resolve(stream);
      })
    );
    return await promise;
  }

  async dial({ host, port }: DialTarget): Promise<Dialed> {
    if (this.#lost) throw this.#lost;
    const place = { node: this.#options.node, host, port };
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>();
    this.#send((client) =>
      client.forwardOut("127.0.0.1", 0, host, port, (error, stream) => {
        if (!error) return resolve(stream);
        const { reason } = error as { readonly reason?: number | string };
        const state = error.message.replace(/^\(SSH\) /, "").replace(/^Channel open failure: /, "");
        reject(
          this.#lost ??
            (reason === PROHIBITED
              ? forwardingForbidden(place, error)
              : nobodyListens(place, { state, cause: error })),
        );
      })
    );
    // A connection that is in use is not asked whether it lives.
    this.#lastUsed = monotonic();
    const dialed = dialedStream(await promise, () => this.#dialed.delete(dialed));
    this.#dialed.add(dialed);
    return dialed;
  }

  async terminal(screen: Screen, options: TerminalOptions): Promise<ChannelExit> {
    const stream = await this.#openTerminal(screen, options);
    await using channel = this.#adopt(stream, () => {});
    return await onScreen(screen, { stream, channel, signal: options.signal });
  }

  /** A connection that gives no sign of life within `ms` is given up. */
  async probe(ms: number): Promise<void> {
    const before = this.#received;
    await withDeadline(() => this.measure(), {
      ms,
      error: () => this.#lostError(`no answer to a probe within ${ms} ms`),
    }).catch((error: GridError) => {
      // The answer may queue behind a large transfer on a slow link.
      if (this.#received > before) return;
      this.#client.destroy();
      this.#lose(error);
      throw error;
    });
    if (this.#lost) throw this.#lost;
    this.#lastUsed = monotonic();
  }

  /** Times one question and its answer. Settles too when the connection ends. */
  async measure(): Promise<void> {
    const started = monotonic();
    await new Promise<void>((resolve) => this.#send((client) => ping(client, () => resolve())));
    if (!this.#lost) this.roundTripMs = monotonic() - started;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#channels].map((channel) => channel[Symbol.asyncDispose]()));
    this.#lose("it was closed by Grid");
    this.#client.end();
    const patience = setTimeout(() => this.#client.destroy(), GOODBYE_MS);
    await this.#closed.promise;
    clearTimeout(patience);
  }

  #exec(command: string, onAbandoned: () => void): Promise<SshChannel> {
    const { promise, resolve, reject } = Promise.withResolvers<SshChannel>();
    this.#send((client) =>
      client.exec(command, (error, stream) => {
        if (this.#lost) return reject(this.#lost);
        if (error) return reject(this.#channelError(error));
        resolve(this.#adopt(stream, onAbandoned));
      })
    );
    return promise;
  }

  #openTerminal(
    screen: Screen,
    { command, env = {} }: TerminalOptions,
  ): Promise<ClientChannel> {
    if (this.#lost) throw this.#lost;
    const { promise, resolve, reject } = Promise.withResolvers<ClientChannel>();
    const { columns: cols, rows } = screen.size();
    const pty = { term: screen.term, cols, rows };
    const opened = (error: Error | undefined, stream: ClientChannel) => {
      if (error) reject(this.#lost ?? this.#channelError(error));
      else resolve(stream);
    };
    this.#send((client) =>
      command === undefined
        ? client.shell(pty, { env: { ...env } }, opened)
        : client.exec(loginCommand(command, randomWord(20)), { pty, env: { ...env } }, opened)
    );
    return promise;
  }

  #adopt(stream: ClientChannel, onAbandoned: () => void): SshChannel {
    const channel: SshChannel = new SshChannel(stream, {
      onBytes: (direction, count) => {
        if (direction === "received") {
          this.#received += count;
          // It lives, and need not be asked whether it does.
          this.#lastUsed = monotonic();
        }
        this.#options.onBytes(direction, count);
      },
      onAbandoned,
      onClosed: () => {
        this.#channels.delete(channel);
        this.#options.onFree();
      },
      lostError: () => this.#lostError("the command's channel closed without an exit code"),
    });
    this.#channels.add(channel);
    this.#hasCarried = true;
    return channel;
  }

  /** ssh2 throws where its socket has gone before we were told. */
  #send(request: (client: Client) => void): void {
    try {
      request(this.#client);
    } catch (error) {
      this.#lose(thrownWords(error));
      throw this.#lost ?? error;
    }
  }

  #forwardError(error: Error & { readonly reason?: number | string }, target: ForwardTarget) {
    const isForbidden = error.reason === PROHIBITED;
    return new GridError({
      code: isForbidden ? "channel" : "tcp",
      message: `Cannot connect to "${target.node}" (${target.host} port ${target.port}) through ` +
        `"${this.#options.node}": ` +
        (isForbidden ? "the jump host forbids forwarding" : error.message.replace(/^\(SSH\) /, "")),
      hint: isForbidden
        ? "the jump host needs AllowTcpForwarding yes in its sshd_config"
        : `try it from there: ssh ${this.#options.node} nc -vz ${target.host} ${target.port}`,
      node: target.node,
      cause: error,
    });
  }

  #channelError(error: Error & { readonly reason?: number | string }): Error {
    // A server of one session says "prohibited" to the second, where others say that there is no room.
    const isForbidden = error.reason === PROHIBITED && !this.#hasCarried && this.#opening === 1;
    if (error.reason !== undefined && !isForbidden) return new ChannelRefused();
    // ssh2's words for a request that sshd denies: it could start no process, or may not.
    const isDenied = error.message === "Unable to exec";
    return new GridError({
      code: "channel",
      message: `Cannot start a command on "${this.#options.node}": ` +
        (isDenied ? "its sshd started none" : error.message),
      hint: "the account may be limited to other uses (ForceCommand, a restricted shell)" +
        (isDenied ? ", or have as many processes there as it may have (ulimit -u)" : ""),
      node: this.#options.node,
      cause: error,
    });
  }

  #lose(state: string | GridError): void {
    if (this.#lost) return;
    const reason = state instanceof GridError ? state : this.#lostError(state);
    this.#lost = reason;
    for (const channel of [...this.#channels, ...this.#dialed]) channel.lose(reason);
    this.#channels.clear();
    this.#dialed.clear();
    this.#options.onFree();
  }

  #lostError(state: string): GridError {
    const { node } = this.#options;
    return new GridError({
      code: "lost",
      message: `Cannot go on with "${node}": the connection was lost (${state})`,
      node,
    });
  }
}

/** How long a server may take to close a connection that we have ended. */
const GOODBYE_MS = 500;
