/**
 * Short commands on one node, over a few long-lived shells: start-up files are paid once per shell,
 * and what they print is dropped.
 */
import { withDeadline } from "../core/deadline.ts";
import { GridError } from "../core/errors.ts";
import { SHELL_COMMAND, ShellSession } from "./shell_session.ts";
import type { Channel, Endpoint, ExecOptions, ExecResult } from "./transport.ts";

export { SHELL_COMMAND };

export interface Shell extends AsyncDisposable {
  /**
   * Runs a command in a subshell of its own; concurrent commands take further shells, then queue.
   *
   * @throws {GridError} `timed-out`, `shell` where no shell answers, or what opening a channel threw
   */
  exec(command: string, options?: ExecOptions): Promise<ExecResult>;
}

export interface ShellOptions {
  /** Opens a channel that runs `SHELL_COMMAND`. */
  readonly open: () => Promise<Channel>;
  readonly endpoint: Endpoint;
}

/** Shells per node: they share the node's channels with steps and syncs. */
const MAX_SHELLS = 3;

/** How long closing waits for commands under way; those on a dead link never end. */
const CLOSING_MS = 1000;

export function openShellChannel(options: ShellOptions): Shell {
  return new ShellPool(options);
}

class ShellPool implements Shell {
  readonly #options: ShellOptions;
  readonly #idle: ShellSession[] = [];
  readonly #waiting: (() => void)[] = [];
  /** Dropped sessions that are still closing. */
  readonly #closing = new Set<Promise<void>>();
  readonly #running = new Set<Promise<void>>();
  #busy = 0;
  #closed = false;

  constructor(options: ShellOptions) {
    this.#options = options;
  }

  async exec(command: string, options: ExecOptions = {}): Promise<ExecResult> {
    await this.#takeTurn(options.signal);
    const running = this.#execNow(command, options);
    const settled: Promise<void> = running.then(() => {}, () => {}).finally(() => {
      this.#running.delete(settled);
      this.#busy--;
      this.#waiting.shift()?.();
    });
    this.#running.add(settled);
    return await running;
  }

  async #execNow(command: string, options: ExecOptions): Promise<ExecResult> {
    const session = await this.#session(options.signal);
    return await this.#run(session, { command, options });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const session of this.#idle.splice(0)) this.#drop(session);
    await this.#settle();
    await Promise.all(this.#closing);
  }

  /** Lets commands under way end; each drops its shell when it is done. */
  async #settle(): Promise<void> {
    const timeUp = Promise.withResolvers<void>();
    const timer = setTimeout(timeUp.resolve, CLOSING_MS);
    await Promise.race([Promise.all(this.#running), timeUp.promise]);
    clearTimeout(timer);
  }

  /** Waits until fewer than `MAX_SHELLS` commands run. */
  async #takeTurn(signal: AbortSignal | undefined): Promise<void> {
    signal?.throwIfAborted();
    while (this.#busy >= MAX_SHELLS) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const onAbort = () => {
        this.#waiting.splice(this.#waiting.indexOf(resolve), 1);
        reject(signal?.reason);
      };
      this.#waiting.push(resolve);
      signal?.addEventListener("abort", onAbort, { once: true });
      await promise.finally(() => signal?.removeEventListener("abort", onAbort));
    }
    this.#busy++;
  }

  async #session(signal: AbortSignal | undefined): Promise<ShellSession> {
    this.#checkOpen();
    for (let idle = this.#idle.pop(); idle; idle = this.#idle.pop()) {
      if (idle.usable) return idle;
      this.#drop(idle);
    }
    const { endpoint, open } = this.#options;
    const session = new ShellSession(endpoint.name, await open());
    try {
      // Nothing else is sent before this is answered: a start-up file may read its input.
      await withDeadline(() => session.run(":", {}), {
        ms: endpoint.commandTimeoutMs,
        error: () => noShell(endpoint, `no answer within ${endpoint.commandTimeoutMs} ms`),
        signal,
      });
      return session;
    } catch (error) {
      this.#drop(session);
      throw session.left === undefined ? error : noShell(endpoint, `it ended (${session.left})`);
    }
  }

  async #run(
    session: ShellSession,
    { command, options }: { command: string; options: ExecOptions },
  ): Promise<ExecResult> {
    const { endpoint } = this.#options;
    const ms = options.timeoutMs ?? endpoint.commandTimeoutMs;
    try {
      return await withDeadline(() => session.run(command, options), {
        ms,
        error: () => tooLong(endpoint, ms),
        signal: options.signal,
      });
    } finally {
      // A session that still waits for an answer can never be trusted again.
      if (session.usable && !this.#closed) this.#idle.push(session);
      else this.#drop(session);
    }
  }

  #drop(session: ShellSession): void {
    const closing: Promise<void> = session[Symbol.asyncDispose]().catch(() => {})
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }

  #checkOpen(): void {
    if (!this.#closed) return;
    const { name } = this.#options.endpoint;
    throw new GridError({
      code: "lost",
      message: `Cannot run a command on "${name}": its transport is closed`,
      node: name,
    });
  }
}

function noShell({ name }: Endpoint, state: string): GridError {
  return new GridError({
    code: "shell",
    message: `Cannot start a shell on "${name}": ${state}`,
    hint: `look for commands that wait for input, or leave, in the account's start-up files: ` +
      `ssh ${name} /bin/sh -c :`,
    node: name,
  });
}

function tooLong(endpoint: Endpoint, ms: number): GridError {
  return new GridError({
    code: "timed-out",
    message: `Cannot finish a command on "${endpoint.name}": no answer within ${ms} ms`,
    node: endpoint.name,
  });
}
