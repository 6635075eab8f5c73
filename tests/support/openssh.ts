/**
 * Real OpenSSH nodes on loopback: one daemon, host key, home and workspace per node.
 * `await using lab = await startOpenSsh({ nodes: 3 })` ends them, and whatever they still run.
 */
import { existsSync } from "node:fs";
import { dirname, join } from "node:path";
import type { Endpoint } from "../../src/transport/transport.ts";
import { writeFakeNvidiaSmi } from "./fake_nvidia_smi.ts";
import { descendantsOf, processesWith } from "./processes.ts";
import { removeFolder } from "./temp_dir.ts";
import { type Account, findProgram, findRayDashboardVenv, findRayVenv } from "./requires.ts";

export interface OpenSshOptions {
  readonly nodes: number;
  /** GPUs per node that the fake `nvidia-smi` shows; 0 leaves the tool out. Default 2. */
  readonly gpus?: number;
  /** Where the first node listens; default 127.0.0.2, and each further node one higher. */
  readonly host?: string;
  /** More lines for every daemon's configuration, for example `MaxSessions 2`. */
  readonly sshdConfig?: readonly string[];
  /** Words before the command that starts a daemon, which becomes it in the end; default none. */
  readonly within?: readonly string[];
  /** Where each node is, instead of this machine's loopback: its address, and the words for `within`. */
  readonly machines?: readonly { readonly host: string; readonly enter: readonly string[] }[];
  /** Who the nodes are logged in to as, and who owns their homes; default this account. */
  readonly account?: Account;
  /** Link `grid_env` in each workspace to the virtual environment that holds Ray, or `ray[default]`. */
  readonly ray?: boolean | "dashboard";
}

export interface OpenSshLab extends AsyncDisposable {
  readonly folder: string;
  readonly nodes: readonly OpenSshNode[];
  readonly keyFile: string;
  readonly knownHosts: string;
  /** Processes that nodes of this lab still run, daemons apart. */
  leftovers(): readonly { readonly pid: number; readonly command: string }[];
}

export interface OpenSshNode {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly endpoint: Endpoint;
  /** The node's own home folder. */
  readonly home: string;
  /** The node's `remote_root`, absolute: `<home>/grid_workspace`. */
  readonly root: string;
  readonly hostKeyFile: string;
  /** Pid of the listening daemon. */
  pid(): number;
  readLog(): string;
  /** Handshakes that ended in a login, counted in the daemon's log. */
  acceptedLogins(): number;
  /** Ends the daemon and every session, as if the machine were off. */
  stop(): Promise<void>;
  /** The daemon and its sessions alone; the node's own processes go on. */
  killDaemon(): Promise<void>;
  start(): Promise<void>;
}

export async function startOpenSsh(options: OpenSshOptions): Promise<OpenSshLab> {
  const folder = Deno.makeTempDirSync({ prefix: "grid-lab-" });
  const keyFile = join(folder, "id_ed25519");
  const knownHosts = join(folder, "known_hosts");
  const marker = `GRID_LAB=${folder}`;
  makeKey(keyFile);
  ensurePrivilegeFolder();
  const nodes = Array.from({ length: options.nodes }, (_, index) => {
    const name = `node${index + 1}`;
    return new SshdNode({
      name,
      host: hostOf(index, options),
      machine: options.machines?.[index],
      folder,
      keyFile,
      knownHosts,
      options,
    });
  });
  const lines = nodes.map((node) => node.knownHostsLine());
  Deno.writeTextFileSync(knownHosts, lines.join(""));
  await Promise.all(nodes.map((node) => node.start()));
  const leftovers = () => {
    const sessions = new Set(nodes.flatMap((node) => [...node.daemonPids()]));
    return processesWith(marker).filter((process) => !sessions.has(process.pid));
  };
  return {
    folder,
    nodes,
    keyFile,
    knownHosts,
    leftovers,
    [Symbol.asyncDispose]: async () => {
      await Promise.all(nodes.map((node) => node.stop()));
      for (const { pid } of processesWith(marker)) kill(pid, "SIGKILL");
      removeFolder(folder);
    },
  };
}

interface SshdNodeOptions {
  readonly name: string;
  readonly host: string;
  readonly folder: string;
  readonly keyFile: string;
  readonly knownHosts: string;
  readonly machine: { readonly enter: readonly string[] } | undefined;
  readonly options: OpenSshOptions;
}

function hostOf(index: number, { host, machines }: OpenSshOptions): string {
  const machine = machines?.[index];
  if (machine !== undefined) return machine.host;
  return index === 0 && host ? host : `127.0.0.${index + 2}`;
}

/** A line of known_hosts that trusts this key at an address, for instance at that of a link to a node. */
export function knownHostsLine(
  { host, port }: { readonly host: string; readonly port: number },
  hostKeyFile: string,
): string {
  const [type, key] = Deno.readTextFileSync(`${hostKeyFile}.pub`).split(" ");
  return `[${host}]:${port} ${type} ${key}\n`;
}

class SshdNode implements OpenSshNode {
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly endpoint: Endpoint;
  readonly home: string;
  readonly root: string;
  readonly hostKeyFile: string;
  readonly #folder: string;
  readonly #within: readonly string[];
  #child: Deno.ChildProcess | undefined;

  constructor(at: SshdNodeOptions) {
    const { name, host, folder, keyFile, knownHosts, machine, options } = at;
    this.name = name;
    this.host = host;
    // On a machine of its own nobody else has any.
    this.port = machine ? 2222 : freePort(host);
    this.#folder = join(folder, name);
    this.#within = [...(machine?.enter ?? []), ...(options.within ?? [])];
    this.home = join(this.#folder, "home");
    this.root = join(this.home, "grid_workspace");
    this.hostKeyFile = join(this.#folder, "host_key");
    this.endpoint = {
      name,
      transport: "ssh",
      host,
      port: this.port,
      user: options.account?.name ?? Deno.env.get("USER") ?? currentUser(),
      keyFile,
      knownHosts,
      proxyJump: undefined,
      connectTimeoutMs: 5000,
      commandTimeoutMs: 10_000,
      keepaliveMs: 15_000,
      maxRetries: 3,
    };
    const bin = join(this.home, "bin");
    Deno.mkdirSync(bin, { recursive: true });
    makeKey(this.hostKeyFile);
    if (options.gpus !== 0) writeFakeNvidiaSmi(this.home, { gpus: options.gpus ?? 2 });
    if (options.ray) linkRay(this.root, options);
    if (options.account) handOver(folder, { home: this.home, account: options.account });
    Deno.writeTextFileSync(
      join(this.#folder, "sshd_config"),
      [
        // The first value counts.
        ...(options.sshdConfig ?? []),
        `ListenAddress ${host}`,
        `Port ${this.port}`,
        `HostKey ${this.hostKeyFile}`,
        `PidFile none`,
        `AuthorizedKeysFile ${keyFile}.pub`,
        "StrictModes no",
        "UsePAM no",
        "UseDNS no",
        "PasswordAuthentication no",
        "KbdInteractiveAuthentication no",
        "PermitRootLogin prohibit-password",
        "LogLevel VERBOSE",
        // The nodes share one machine, and their GPUs the same names: leases are told apart by folder.
        `SetEnv HOME=${this.home} PATH=${bin}:/usr/local/bin:/usr/bin:/bin GRID_LAB=${folder}` +
        ` GRID_LEASE_DIR=${join(this.home, "gpu_leases")} GRID_DRAIN_DIR=${this.home}`,
      ].join("\n") + "\n",
    );
  }

  pid(): number {
    if (!this.#child) throw new Error(`${this.name} is not running`);
    return this.#child.pid;
  }

  daemonPids(): ReadonlySet<number> {
    if (!this.#child) return new Set();
    const children = descendantsOf(this.#child.pid).filter(({ command }) => /sshd/.test(command));
    return new Set([this.#child.pid, ...children.map(({ pid }) => pid)]);
  }

  knownHostsLine(): string {
    return knownHostsLine(this, this.hostKeyFile);
  }

  readLog(): string {
    return existsSync(this.#logFile) ? Deno.readTextFileSync(this.#logFile) : "";
  }

  acceptedLogins(): number {
    return this.readLog().match(/Accepted publickey/g)?.length ?? 0;
  }

  async start(): Promise<void> {
    const listening = () => this.readLog().match(/Server listening/g)?.length ?? 0;
    const before = listening();
    const sshd = findProgram("sshd") ?? "sshd";
    const [program = sshd, ...words] = [...this.#within, sshd];
    this.#child = new Deno.Command(program, {
      args: [...words, "-D", "-f", join(this.#folder, "sshd_config"), "-E", this.#logFile],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const deadline = Date.now() + 10_000;
    while (listening() === before) {
      if (Date.now() > deadline) throw new Error(`sshd did not start:\n${this.readLog()}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  }

  async stop(): Promise<void> {
    const child = this.#child;
    if (!child) return;
    this.#child = undefined;
    // Sessions outlive the listener; a machine that is off has none.
    for (const { pid } of descendantsOf(child.pid)) kill(pid, "SIGKILL");
    kill(child.pid, "SIGKILL");
    await child.status;
  }

  async killDaemon(): Promise<void> {
    for (const pid of this.daemonPids()) kill(pid, "SIGKILL");
    await this.#child?.status;
    this.#child = undefined;
  }

  get #logFile(): string {
    return join(this.#folder, "sshd.log");
  }
}

function makeKey(path: string): void {
  const result = new Deno.Command(findProgram("ssh-keygen") ?? "ssh-keygen", {
    args: ["-q", "-t", "ed25519", "-N", "", "-C", "grid-lab", "-f", path],
  }).outputSync();
  if (!result.success) throw new Error(new TextDecoder().decode(result.stderr));
}

interface HandOverOptions {
  readonly home: string;
  readonly account: Account;
}

/** Another account must be able to walk to its home and to the list of keys, and own the home. */
function handOver(folder: string, { home, account }: HandOverOptions): void {
  for (const path of [folder, dirname(home)]) Deno.chmodSync(path, 0o755);
  Deno.chmodSync(join(folder, "id_ed25519.pub"), 0o644);
  for (const path of [home, join(home, "bin")]) Deno.chownSync(path, account.uid, account.gid);
}

function linkRay(root: string, { ray, account }: OpenSshOptions): void {
  const venv = ray === "dashboard" ? findRayDashboardVenv() : findRayVenv();
  if (!venv) throw new Error("no virtual environment with Ray: set GRID_TEST_RAY_VENV");
  Deno.mkdirSync(root, { recursive: true });
  Deno.symlinkSync(venv, join(root, "grid_env"));
  if (account) Deno.chownSync(root, account.uid, account.gid);
}

/** As root, sshd insists on this folder; Debian makes it only when its service starts. */
function ensurePrivilegeFolder(): void {
  if (Deno.uid() === 0) Deno.mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
}

function freePort(hostname: string): number {
  using listener = Deno.listen({ hostname, port: 0 });
  return listener.addr.port;
}

function currentUser(): string {
  const { stdout } = new Deno.Command("id", { args: ["-un"] }).outputSync();
  return new TextDecoder().decode(stdout).trim();
}

function kill(pid: number, signal: Deno.Signal): void {
  try {
    Deno.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
