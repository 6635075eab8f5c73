/** SSH servers that are not OpenSSH's, on loopback: the same key opens them all. */
import { join } from "node:path";
import type { Endpoint } from "../../src/transport/transport.ts";
import { type Account, findAccount, findProgram } from "./requires.ts";
import { removeFolder } from "./temp_dir.ts";

export interface OtherServer extends AsyncDisposable {
  readonly endpoint: Endpoint;
}

interface Ground {
  readonly folder: string;
  readonly keyFile: string;
  readonly hostKey: string;
}

function run(program: string, ...args: string[]): void {
  const { success, stderr } = new Deno.Command(program, { args }).outputSync();
  if (!success) throw new Error(`${program}: ${new TextDecoder().decode(stderr)}`);
}

function makeGround(): Ground {
  const folder = Deno.makeTempDirSync({ prefix: "grid-server-" });
  const [keyFile, hostKey] = [join(folder, "id"), join(folder, "host_key")];
  for (const file of [keyFile, hostKey]) {
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file);
  }
  return { folder, keyFile, hostKey };
}

interface Place {
  readonly port: number;
  readonly user: string;
  readonly hostKey: string;
}

function endpointOf({ folder, keyFile }: Ground, { port, user, hostKey }: Place): Endpoint {
  const knownHosts = join(folder, "known_hosts");
  const [type, key] = hostKey.split(" ");
  Deno.writeTextFileSync(knownHosts, `[127.0.0.1]:${port} ${type} ${key}\n`);
  return {
    name: "server",
    transport: "ssh",
    host: "127.0.0.1",
    port,
    user,
    keyFile,
    knownHosts,
    proxyJump: undefined,
    connectTimeoutMs: 10_000,
    commandTimeoutMs: 20_000,
    keepaliveMs: 15_000,
    maxRetries: 1,
  };
}

/** A home for the test account that lies over its own while the server runs. */
function homeFor(account: Account, { folder, keyFile }: Ground): string {
  Deno.chmodSync(folder, 0o755);
  const home = join(folder, "home");
  Deno.mkdirSync(join(home, ".ssh"), { recursive: true });
  Deno.copyFileSync(`${keyFile}.pub`, join(home, ".ssh", "authorized_keys"));
  for (const path of [home, join(home, ".ssh"), join(home, ".ssh", "authorized_keys")]) {
    Deno.chownSync(path, account.uid, account.gid);
    Deno.chmodSync(path, path.endsWith("keys") ? 0o600 : 0o700);
  }
  return home;
}

const IN_NAMESPACE = 'mount --bind "$1" "$2" && shift 2 && exec "$@"';

function inHome(account: Account, home: string, command: readonly string[]): string[] {
  const args = ["unshare", "-m", "sh", "-c", IN_NAMESPACE, "sh", home, `/home/${account.name}`];
  return [...args, ...command];
}

function testAccount(): Account {
  const account = findAccount();
  if (!account) throw new Error("no account to log in to");
  return account;
}

export async function startDropbear(): Promise<OtherServer> {
  const ground = makeGround();
  const account = testAccount();
  const home = homeFor(account, ground);
  const key = join(ground.folder, "dropbear_key");
  run("dropbearconvert", "openssh", "dropbear", ground.hostKey, key);
  using probe = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = probe.addr;
  probe.close();
  const pidFile = join(ground.folder, "pid");
  const listen = ["-F", "-E", "-r", key, "-p", `127.0.0.1:${port}`, "-P", pidFile];
  const [program = "", ...args] = inHome(account, home, [
    findProgram("dropbear") ?? "dropbear",
    ...listen,
  ]);
  const child = new Deno.Command(program, { args, stdin: "null", stderr: "null" }).spawn();
  await listening(port);
  const hostKey = Deno.readTextFileSync(`${ground.hostKey}.pub`);
  return {
    endpoint: endpointOf(ground, { port, user: account.name, hostKey }),
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGTERM");
      await child.status;
      removeFolder(ground.folder);
    },
  };
}

export async function startAsyncSsh(): Promise<OtherServer> {
  const ground = makeGround();
  const script = new URL("asyncssh_server.py", import.meta.url).pathname;
  const child = new Deno.Command("/usr/bin/python3", {
    args: [script, ground.hostKey, `${ground.keyFile}.pub`],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const port = Number(new TextDecoder().decode(value));
  const hostKey = Deno.readTextFileSync(`${ground.hostKey}.pub`);
  return {
    endpoint: endpointOf(ground, { port, user: "anybody", hostKey }),
    [Symbol.asyncDispose]: async () => {
      await child.stdin.close();
      await reader.cancel();
      await child.status;
      removeFolder(ground.folder);
    },
  };
}

/** One session per connection; started per connection, as inetd does. */
export function startTinySsh(): OtherServer {
  const ground = makeGround();
  const account = testAccount();
  const home = homeFor(account, ground);
  const keys = join(ground.folder, "keys");
  run(findProgram("tinysshd-makekey") ?? "tinysshd-makekey", "-q", keys);
  const printed = new Deno.Command(findProgram("tinysshd-printkey") ?? "tinysshd-printkey", {
    args: [keys],
  }).outputSync().stdout;
  const hostKey = new TextDecoder().decode(printed).split("\n")
    .find((line) => line.startsWith("ssh-ed25519 ")) ?? "";
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const work = serveEach(
    listener,
    inHome(account, home, [
      findProgram("tinysshd") ?? "tinysshd",
      keys,
    ]),
  );
  return {
    endpoint: endpointOf(ground, { port: listener.addr.port, user: account.name, hostKey }),
    [Symbol.asyncDispose]: async () => {
      listener.close();
      await work;
      removeFolder(ground.folder);
    },
  };
}

async function serveEach(listener: Deno.TcpListener, command: readonly string[]): Promise<void> {
  const [program = "", ...args] = command;
  const served: Promise<unknown>[] = [];
  for await (const connection of listener) {
    const child = new Deno.Command(program, {
      args,
      stdin: "piped",
      stdout: "piped",
      stderr: "null",
    }).spawn();
    const [readable, writable] = [connection.readable, connection.writable];
    served.push(
      readable.pipeTo(child.stdin).catch(() => {}),
      child.stdout.pipeTo(writable).catch(() => {}),
      child.status,
    );
  }
  await Promise.all(served);
}

async function listening(port: number): Promise<void> {
  for (let tries = 0; tries < 500; tries++) {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => {});
    if (connection) return connection.close();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`nothing listens on port ${port}`);
}
