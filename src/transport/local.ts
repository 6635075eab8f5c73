/** This machine as a node: the same interface, without a network. */
import { thrownWords } from "../core/refusal.ts";
import { localHome } from "./local_home.ts";
import { openShellChannel, type Shell } from "./shell/shell_channel.ts";
import { nobodyListens } from "./dial_problem.ts";
import { runInTerminal } from "./own_terminal.ts";
import { LocalChannel } from "./local_channel.ts";
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
} from "./transport.ts";

export interface LocalOptions {
  /** Variables of this process that no command inherits; may grow at any time. */
  readonly hidden?: ReadonlySet<string> | undefined;
}

export function createLocalTransport(endpoint: Endpoint, options: LocalOptions = {}): Transport {
  return new LocalTransport(endpoint, options);
}

/** What can be unset; and what a shell needs to be of any use. */
const VARIABLE = /^(?!(?:PATH|HOME)$)[A-Za-z_][A-Za-z0-9_]*$/;

class LocalTransport implements Transport {
  readonly endpoint: Endpoint;
  readonly isHere = true;
  readonly #shell: Shell;
  readonly #hidden: ReadonlySet<string>;
  readonly #home = localHome();
  #channels = 0;

  constructor(endpoint: Endpoint, { hidden = new Set() }: LocalOptions) {
    this.endpoint = endpoint;
    this.#hidden = hidden;
    this.#shell = openShellChannel({
      endpoint,
      // Jobs are children of this shell and must outlive it.
      open: (command) => Promise.resolve(this.#spawn(["-c", command], "process")),
    });
  }

  exec(command: string, options: ExecOptions = {}): Promise<ExecResult> {
    return this.#shell.exec(this.#hiding(command), options);
  }

  wait(command: string, options: WaitOptions): Promise<Uint8Array> {
    return this.#shell.wait(this.#hiding(command), options);
  }

  // deno-lint-ignore require-await
  async open(command: string, options: OpenOptions = {}): Promise<Channel> {
    options.signal?.throwIfAborted();
    return this.#spawn(["-c", this.#hiding(command)], "group");
  }

  async dial({ host, port }: DialTarget, { signal }: OpenOptions = {}): Promise<Dialed> {
    signal?.throwIfAborted();
    try {
      const { readable, writable } = await Deno.connect({ hostname: host, port });
      return {
        readable,
        writable,
        async [Symbol.asyncDispose]() {
          await Promise.allSettled([readable.cancel(), writable.abort()]);
        },
      };
    } catch (cause) {
      const { name } = this.endpoint;
      throw nobodyListens({ node: name, host, port }, { cause, state: stateOf(cause) });
    }
  }

  async terminal(_screen: Screen, options: TerminalOptions = {}): Promise<ChannelExit> {
    const { command = 'exec "${SHELL:-/bin/sh}" -l', signal } = options;
    return await runInTerminal(["/bin/sh", "-c", this.#hiding(command)], {
      signal,
      env: this.#home.env,
      cwd: this.#home.cwd,
    });
  }

  get stats(): TransportStats {
    return {
      handshakes: 0,
      reconnects: 0,
      channels: this.#channels,
      bytesSent: 0,
      bytesReceived: 0,
      roundTripMs: undefined,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#shell[Symbol.asyncDispose]();
  }

  /**
   * Said with each command: a shell may have started before anybody knew what to hide. `grid_unset` tells
   * jobs of it, whose launcher may be as old.
   */
  #hiding(command: string): string {
    const names = [...this.#hidden].filter((name) => VARIABLE.test(name)).join(" ");
    return names === "" ? command : `unset -v ${names}; grid_unset='${names}'\n${command}`;
  }

  #spawn(args: readonly string[], ends: "process" | "group"): LocalChannel {
    this.#channels++;
    return new LocalChannel({ args, ends, ...this.#home });
  }
}

function stateOf(cause: unknown): string {
  if (cause instanceof Deno.errors.ConnectionRefused) return "connection refused";
  return thrownWords(cause);
}
