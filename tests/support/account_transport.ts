/** This machine under another account, or with another shell, as a transport. */
import { openShellChannel } from "../../src/transport/shell/shell_channel.ts";
import type { Channel, ChannelExit, Transport } from "../../src/transport/transport.ts";
import { localEndpoint } from "./local_node.ts";

/** The account `nobody` of most systems. */
export const ORDINARY_UID = 65_534;

export interface AccountOptions {
  /** Default: our own. */
  readonly uid?: number;
  /** Default: the number of the account. */
  readonly gid?: number;
  /** What stands for `/bin/sh`. */
  readonly shell?: readonly string[];
  /** Added to the environment of everything that is started. */
  readonly env?: Readonly<Record<string, string>>;
}

export function transportAs(options: AccountOptions): Transport {
  const { uid = Deno.uid() ?? 0, gid = uid, shell: words, env = {} } = options;
  const endpoint = localEndpoint({ name: `uid${uid}` });
  const open = (command: string) => Promise.resolve(new AccountChannel(command, { uid, gid, env }));
  const become = (command: string) =>
    words === undefined ? command : command.replace("/bin/sh", () => words.join(" "));
  const shell = openShellChannel({ endpoint, open: (command) => open(become(command)) });
  return {
    endpoint,
    exec: (command, options) => shell.exec(command, options),
    wait: (command, options) => shell.wait(command, options),
    open,
    terminal: () => Promise.reject(new Error("not used")),
    dial: () => Promise.reject(new Error("not used")),
    stats: {
      handshakes: 0,
      reconnects: 0,
      channels: 0,
      bytesSent: 0,
      bytesReceived: 0,
      roundTripMs: undefined,
    },
    [Symbol.asyncDispose]: () => shell[Symbol.asyncDispose](),
  };
}

class AccountChannel implements Channel {
  readonly stdin: WritableStream<Uint8Array>;
  readonly stdout: ReadableStream<Uint8Array>;
  readonly stderr: ReadableStream<Uint8Array>;
  readonly exit: Promise<ChannelExit>;
  readonly #child: Deno.ChildProcess;
  #running = true;

  constructor(
    command: string,
    { uid, gid, env }: Required<Pick<AccountOptions, "uid" | "gid" | "env">>,
  ) {
    this.#child = new Deno.Command("/usr/bin/setsid", {
      args: ["/bin/sh", "-c", command],
      cwd: "/",
      env: { ...env },
      uid,
      gid,
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    this.stdin = this.#child.stdin;
    this.stdout = this.#child.stdout;
    this.stderr = this.#child.stderr;
    this.exit = this.#child.status.then(({ code }) => {
      this.#running = false;
      return { kind: "code", code };
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const stream of [this.stdout, this.stderr]) {
      if (!stream.locked) await stream.cancel().catch(() => {});
    }
    if (!this.stdin.locked) await this.stdin.abort().catch(() => {});
    if (this.#running) Deno.kill(this.#child.pid, "SIGKILL");
    await this.exit;
  }
}
