/**
 * An SSH server inside the test, for machines without sshd: real `sh`, a real handshake, and a log
 * of who came. Commands run as the test's own user.
 */
import { Buffer } from "node:buffer";
import { type ChildProcess, spawn } from "node:child_process";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import process from "node:process";
import type { Connection, ServerChannel, Session } from "ssh2";
import ssh2 from "../../src/transport/ssh/ssh2_library.ts";
import type { Endpoint } from "../../src/transport/transport.ts";
import { tempDir } from "./temp_dir.ts";

export interface SshServerOptions {
  /** Sessions per connection, as sshd's MaxSessions. Default: as many as wanted. */
  readonly maxSessions?: number;
}

export interface SshServer extends AsyncDisposable {
  readonly endpoint: Endpoint;
  readonly home: string;
  /** What happened, in order: `connection`, `auth <user>`, `login`, `exec <command>`, `refused`. */
  readonly log: readonly string[];
}

export async function startSshServer(options: SshServerOptions = {}): Promise<SshServer> {
  const folder = tempDir();
  const home = join(folder.path, "home");
  Deno.mkdirSync(home);
  const hostKey = generateKey();
  const userKey = generateKey();
  const keyFile = join(folder.path, "id_ed25519");
  Deno.writeTextFileSync(keyFile, userKey.private, { mode: 0o600 });
  const rig = new Rig({ home, userKey: userKey.public, ...options });
  const server = new ssh2.Server({ hostKeys: [hostKey.private] }, (client) => rig.serve(client));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const knownHosts = join(folder.path, "known_hosts");
  Deno.writeTextFileSync(knownHosts, `[127.0.0.1]:${port} ${hostKey.public}\n`);
  return {
    home,
    log: rig.log,
    endpoint: {
      name: "server",
      transport: "ssh",
      host: "127.0.0.1",
      port,
      user: "tester",
      keyFile,
      knownHosts,
      proxyJump: undefined,
      connectTimeoutMs: 5000,
      commandTimeoutMs: 10_000,
      keepaliveMs: 15_000,
      maxRetries: 3,
    },
    [Symbol.asyncDispose]: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await rig.end();
      await closed;
      folder[Symbol.dispose]();
    },
  };
}

/** ssh2 1.17 writes about one key in a hundred in a form that it cannot read itself. */
function generateKey(): { readonly private: string; readonly public: string } {
  for (;;) {
    const pair = ssh2.utils.generateKeyPairSync("ed25519");
    if (!(ssh2.utils.parseKey(pair.private) instanceof Error)) return pair;
  }
}

interface RigOptions extends SshServerOptions {
  readonly home: string;
  readonly userKey: string;
}

class Rig {
  readonly log: string[] = [];
  readonly #options: RigOptions;
  readonly #clients = new Set<Connection>();
  readonly #children = new Set<ChildProcess>();

  constructor(options: RigOptions) {
    this.#options = options;
  }

  serve(client: Connection): void {
    this.log.push("connection");
    this.#clients.add(client);
    // Not in the types. Without it every answer waits 40 ms for Nagle's algorithm.
    (client as Connection & { setNoDelay(on: boolean): void }).setNoDelay(true);
    client.on("error", () => {});
    client.on("close", () => this.#clients.delete(client));
    client.on("authentication", (context) => {
      this.log.push(`auth ${context.username}`);
      const allowed = ssh2.utils.parseKey(this.#options.userKey);
      if (allowed instanceof Error || context.method !== "publickey") return context.reject();
      if (!Buffer.from(context.key.data).equals(allowed.getPublicSSH())) return context.reject();
      const { signature, blob, hashAlgo } = context;
      if (signature && blob && allowed.verify(blob, signature, hashAlgo) !== true) {
        return context.reject();
      }
      context.accept();
    });
    client.on("ready", () => {
      this.log.push("login");
      let sessions = 0;
      client.on("session", (accept, reject) => {
        if (sessions >= (this.#options.maxSessions ?? Infinity)) {
          this.log.push("refused");
          return reject();
        }
        sessions++;
        this.#serveSession(accept(), () => sessions--);
      });
    });
  }

  async end(): Promise<void> {
    for (const child of this.#children) killGroup(child, "SIGKILL");
    for (const client of this.#clients) client.end();
    await Promise.all(
      [...this.#children].map((child) => new Promise((resolve) => child.once("close", resolve))),
    );
  }

  #serveSession(session: Session, onEnd: () => void): void {
    session.on("close", onEnd);
    session.on("exec", (accept, _reject, { command }) => {
      this.log.push(`exec ${command}`);
      const child = spawn("/bin/sh", ["-c", command], {
        cwd: this.#options.home,
        env: { ...Deno.env.toObject(), HOME: this.#options.home },
        detached: true,
      });
      this.#children.add(child);
      child.on("close", () => this.#children.delete(child));
      session.on(
        "signal",
        (_accept, _reject, { name }) => killGroup(child, `SIG${name}` as NodeJS.Signals),
      );
      connect(accept(), child);
    });
  }
}

function connect(channel: ServerChannel, child: ChildProcess): void {
  const { stdin, stdout, stderr } = child;
  if (!stdin || !stdout || !stderr) throw new Error("a child without pipes");
  // A command may leave its input unread, and a client may leave its output unread.
  for (const stream of [stdin, channel, channel.stderr]) stream.on("error", () => {});
  channel.pipe(stdin);
  stdout.pipe(channel, { end: false });
  stderr.pipe(channel.stderr, { end: false });
  child.on("close", (code, signal) => {
    if (signal) channel.exit(signal.slice("SIG".length), false, "");
    else channel.exit(code ?? 255);
    channel.end();
  });
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, signal);
  } catch (error) {
    if ((error as { code?: string }).code !== "ESRCH") throw error;
  }
}
