/** This machine as a node: the same interface, without a network. */
import { homedir } from "node:os";
import { openShellChannel, type Shell } from "./shell/shell_channel.ts";
import { LocalChannel } from "./local_channel.ts";
import type {
  Channel,
  Endpoint,
  ExecOptions,
  ExecResult,
  OpenOptions,
  Transport,
  TransportStats,
  WaitOptions,
} from "./transport.ts";

export function createLocalTransport(endpoint: Endpoint): Transport {
  return new LocalTransport(endpoint);
}

class LocalTransport implements Transport {
  readonly endpoint: Endpoint;
  readonly #shell: Shell;
  #channels = 0;

  constructor(endpoint: Endpoint) {
    this.endpoint = endpoint;
    this.#shell = openShellChannel({
      endpoint,
      // Jobs are children of this shell and must outlive it.
      open: () => Promise.resolve(this.#spawn([], "process")),
    });
  }

  exec(command: string, options: ExecOptions = {}): Promise<ExecResult> {
    return this.#shell.exec(command, options);
  }

  wait(command: string, options: WaitOptions): Promise<Uint8Array> {
    return this.#shell.wait(command, options);
  }

  // deno-lint-ignore require-await
  async open(command: string, options: OpenOptions = {}): Promise<Channel> {
    options.signal?.throwIfAborted();
    return this.#spawn(["-c", command], "group");
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

  #spawn(args: readonly string[], ends: "process" | "group"): LocalChannel {
    this.#channels++;
    return new LocalChannel({ args, cwd: homedir(), ends });
  }
}
