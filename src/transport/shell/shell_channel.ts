/**
 * Commands on one node, over as few long-lived shells as possible: start-up files are paid once per
 * shell, and what they print is dropped.
 */
import { monotonic } from "../../core/clock.ts";
import { withDeadline } from "../../core/deadline.ts";
import { GridError } from "../../core/errors.ts";
import { randomWord } from "../../core/ids.ts";
import { ShellQueue } from "./shell_queue.ts";
import { endedShell, lostBeforeShell, noShell, silentShell, waited } from "./shell_problem.ts";
import { PROOF_COMMAND, shellCommand, shellFault } from "./shell_proof.ts";
import { ShellSession } from "./shell_session.ts";
import type { Channel, Endpoint, ExecOptions, ExecResult, WaitOptions } from "../transport.ts";

export interface Shell extends AsyncDisposable {
  /**
   * Runs a command in a subshell of its own. It takes its turn; only where a turn is long in coming is
   * a further shell opened.
   *
   * @throws {GridError} `timed-out`, `shell` where no shell answers, or what opening a channel threw
   */
  exec(command: string, options?: ExecOptions): Promise<ExecResult>;
  /** See `Transport.wait`. */
  wait(command: string, options: WaitOptions): Promise<Uint8Array>;
  /** Asks a command that only waits to end. */
  interrupt(): void;
}

export interface ShellOptions {
  /** Opens a channel that runs the command, words for a login shell of any kind. */
  readonly open: (command: string) => Promise<Channel>;
  readonly endpoint: Endpoint;
}

/** How long closing waits for commands under way; those on a dead link never end. */
const CLOSING_MS = 1000;

export function openShellChannel(options: ShellOptions): Shell {
  return new SharedShell(options);
}

class SharedShell implements Shell {
  readonly #options: ShellOptions;
  readonly #queue: ShellQueue;
  /** Dropped sessions that are still closing. */
  readonly #closing = new Set<Promise<void>>();
  readonly #running = new Set<Promise<void>>();

  constructor(options: ShellOptions) {
    this.#options = options;
    this.#queue = new ShellQueue({
      open: () => this.#open(),
      drop: (session) => this.#drop(session),
    });
  }

  async exec(command: string, options: ExecOptions = {}): Promise<ExecResult> {
    const { endpoint } = this.#options;
    const ms = options.timeoutMs ?? endpoint.commandTimeoutMs;
    const { session } = await this.#queue.take("command", options.signal);
    return await this.#use(
      session,
      withDeadline(() => session.run(command, options), {
        ms,
        error: () => tooLong(endpoint, ms),
        signal: options.signal,
      }),
    );
  }

  async wait(command: string, { stop, library, maxBytes }: WaitOptions): Promise<Uint8Array> {
    const { session, wanted } = await this.#queue.take("wait");
    const asked = AbortSignal.any([stop, wanted]);
    const answer = session.wait(command, { library, stop: asked, maxBytes });
    return await this.#use(session, this.#unlessSilent(answer, { session, asked }));
  }

  interrupt(): void {
    this.#queue.interrupt();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#queue.close(closedError(this.#options.endpoint));
    await this.#settle();
    await Promise.all(this.#closing);
  }

  /** Gives the session back when the work is done, or up where it still waits for an answer. */
  async #use<T>(session: ShellSession, work: Promise<T>): Promise<T> {
    const settled: Promise<void> = work.then(() => {}, () => {}).finally(() => {
      this.#running.delete(settled);
      this.#queue.giveBack(session);
    });
    this.#running.add(settled);
    try {
      return await work;
    } finally {
      await settled;
    }
  }

  /** A long answer over a slow link is none that stays away. */
  async #unlessSilent(
    answer: Promise<Uint8Array>,
    { session, asked }: { readonly session: ShellSession; readonly asked: AbortSignal },
  ): Promise<Uint8Array> {
    const { endpoint } = this.#options;
    const ms = endpoint.commandTimeoutMs;
    const silence = Promise.withResolvers<never>();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const watch = (since: number) => {
      const silentMs = monotonic() - Math.max(since, session.heardAt);
      if (silentMs >= ms) silence.reject(tooLong(endpoint, ms));
      else timer = setTimeout(() => watch(since), ms - silentMs);
    };
    const onAsked = () => watch(monotonic());
    if (asked.aborted) onAsked();
    else asked.addEventListener("abort", onAsked, { once: true });
    try {
      return await Promise.race([answer, silence.promise]);
    } finally {
      clearTimeout(timer);
      asked.removeEventListener("abort", onAsked);
    }
  }

  /** Lets commands under way end; each drops its shell when it is done. */
  async #settle(): Promise<void> {
    const timeUp = Promise.withResolvers<void>();
    const timer = setTimeout(timeUp.resolve, CLOSING_MS);
    await Promise.race([Promise.all(this.#running), timeUp.promise]);
    clearTimeout(timer);
  }

  async #open(): Promise<ShellSession> {
    const { endpoint, open } = this.#options;
    const word = randomWord(20);
    const session = new ShellSession(endpoint.name, await open(shellCommand(word)));
    try {
      // Nothing else is sent before this is answered: a start-up file may read its input.
      const { stdout } = await withDeadline(
        () => session.run(PROOF_COMMAND, { dropsStderr: true }),
        {
          ms: endpoint.commandTimeoutMs,
          error: () => silentShell(endpoint, endpoint.commandTimeoutMs),
        },
      );
      const fault = shellFault(stdout, { word, node: endpoint.name });
      if (fault) throw noShell(endpoint, fault);
      return session;
    } catch (error) {
      const farewell = await session.farewell();
      this.#drop(session);
      if (farewell !== undefined) throw endedShell(endpoint, farewell);
      const isLost = error instanceof GridError && error.code === "lost";
      throw isLost ? lostBeforeShell(endpoint, error) : error;
    }
  }

  #drop(session: ShellSession): void {
    const closing: Promise<void> = session[Symbol.asyncDispose]().catch(() => {})
      .finally(() => this.#closing.delete(closing));
    this.#closing.add(closing);
  }
}

function closedError({ name }: Endpoint): GridError {
  const message = `Cannot run a command on "${name}": its transport is closed`;
  return new GridError({ code: "lost", message, node: name });
}

function tooLong(endpoint: Endpoint, ms: number): GridError {
  return new GridError({
    code: "timed-out",
    message: `Cannot finish a command on "${endpoint.name}": no answer within ${waited(ms)}`,
    node: endpoint.name,
  });
}
