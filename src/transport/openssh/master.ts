/** One logged-in `ssh` that carries the channels of other `ssh` processes, and ends when Grid does. */
import { withDeadline } from "../../core/deadline.ts";
import { GridError } from "../../core/errors.ts";
import { calledName } from "../ssh/address.ts";
import type { Endpoint } from "../transport.ts";
import { type Carrier, isServed } from "./carrier.ts";
import { MasterLog } from "./master_log.ts";
import { explainDelay, explainEnd, explainLoss, mayPass } from "./master_problem.ts";
import { makePrivateFolder, type PrivateFolder } from "./private_folder.ts";
import { preferredCiphers } from "./ciphers.ts";
import { sshConfigOf, type SshConfigOptions } from "./ssh_config.ts";
import { WATCHED } from "./watched.ts";

export interface MasterOptions extends SshConfigOptions {
  readonly signal: AbortSignal;
}

/** The server closed the connection before anything began: a later try may fare better. */
export class CutOff extends Error {}

/** How long the last words of an ended ssh may take; a proxy command may hold its stderr open. */
const LAST_WORDS_MS = 200;

export class Master implements Carrier {
  readonly lost: Promise<GridError>;
  readonly endpoint: Endpoint;
  readonly env: Readonly<Record<string, string>>;
  readonly #folder: PrivateFolder;
  readonly #child: Deno.ChildProcess;
  readonly #log = new MasterLog();
  readonly #up = Promise.withResolvers<void>();
  readonly #ended: Promise<void>;
  #running = true;
  #files = 0;

  private constructor(endpoint: Endpoint, options: MasterOptions) {
    this.endpoint = endpoint;
    this.env = { ...options.env, SSH_ASKPASS_REQUIRE: "never" };
    const config = sshConfigOf(endpoint, options);
    const alias = calledName(endpoint);
    this.#folder = makePrivateFolder();
    const configFile = this.file("config");
    Deno.writeTextFileSync(configFile, config, { mode: 0o600 });
    this.#child = this.#spawn(["-F", configFile, ...MASTER_ARGS, "-S", this.socket, "--", alias]);
    const heard = this.#listen();
    this.#ended = this.#child.status.then(async (status) => {
      this.#running = false;
      this.#log.end(status);
      this.#child.stdin.abort().catch(() => {});
      await heard;
      this.#folder[Symbol.dispose]();
    });
    this.lost = this.#ended.then(() => explainLoss(this.#log, endpoint));
  }

  /** @throws {GridError} a transport code, `host-key`, `auth`, or `usage` where there is no ssh */
  static async open(endpoint: Endpoint, options: MasterOptions): Promise<Master> {
    const master = new Master(endpoint, { ...options, ciphers: await preferredCiphers() });
    try {
      await withDeadline(() => Promise.race([master.#up.promise, master.#failure()]), {
        ms: endpoint.connectTimeoutMs,
        error: () => explainDelay(master.#log, endpoint),
        signal: options.signal,
      });
      return master;
    } catch (error) {
      await master[Symbol.asyncDispose]();
      throw error;
    }
  }

  get socket(): string {
    return `${this.#folder.path}/master`;
  }

  newFile(): string {
    return this.file(String(++this.#files));
  }

  file(name: string): string {
    return `${this.#folder.path}/${name}`;
  }

  async isAlive(): Promise<boolean> {
    return this.#running && await isServed(this.socket);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill();
    await this.#ended;
  }

  /** With whatever a proxy command has started. */
  kill(): void {
    if (!this.#running) return;
    try {
      Deno.kill(-this.#child.pid, "SIGKILL");
    } catch (error) {
      // It ended between the look and the signal.
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }

  async #failure(): Promise<never> {
    await this.#ended;
    const error = explainEnd(this.#log, this.endpoint);
    if (!mayPass(this.#log)) throw error;
    const { code, message, hint, node } = error;
    throw new GridError({ code, message, hint, node, cause: new CutOff(message) });
  }

  #spawn(args: readonly string[]): Deno.ChildProcess {
    return new Deno.Command("/bin/sh", {
      args: ["-c", WATCHED, this.#folder.path, "ssh", ...args],
      env: this.env,
      stdin: "piped",
      stdout: "null",
      stderr: "piped",
      detached: true,
    }).spawn();
  }

  async #listen(): Promise<void> {
    const reader = this.#child.stderr.getReader();
    let timer: ReturnType<typeof setTimeout> | undefined;
    void this.#child.status.then(() => {
      timer = setTimeout(() => reader.cancel(), LAST_WORDS_MS);
    });
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      this.#log.push(part.value);
      if (this.#log.phase === "up") this.#up.resolve();
    }
    await this.#child.status;
    clearTimeout(timer);
  }
}

const MASTER_ARGS = [
  "-M",
  "-N",
  "-T",
  // What the user's files say about multiplexing and forwarding is meant for their own sessions.
  ...["ControlPersist=no", "ClearAllForwardings=yes", "LogLevel=DEBUG1"].flatMap((option) => [
    "-o",
    option,
  ]),
];
