/**
 * What `ssh gpu` reaches, Grid reaches: configurations with which this machine's `ssh` gets in, in a fresh
 * home, against real servers. Grid gets in by both transports, or names what it lacks.
 */
import assert from "node:assert/strict";
import { networkInterfaces } from "node:os";
import { startAgent } from "../../support/agent.ts";
import { accountHome, commandAtHome, writeHosts } from "../../support/fresh_home.ts";
import { type OpenSshLab, type OpenSshNode, startOpenSsh } from "../../support/openssh.ts";
import { testWith } from "../../support/requires.ts";
import type { Probe, Question } from "../../support/ssh_probe.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { TextLineStream } from "../../support/text_lines.ts";

interface Situation {
  /** Lines of `~/.ssh/config`; see `fill` for the words in angle brackets. */
  readonly config: string;
  /** Called with this; default `gpu`. */
  readonly host?: string;
  /** More files below `~/.ssh`. */
  readonly files?: Readonly<Record<string, string>>;
  /** Done in `~/.ssh` before, with `ssh-keygen` and the like. */
  readonly prepare?: (ssh: string) => void;
  readonly env?: Readonly<Record<string, string>>;
  readonly hosts?: readonly string[];
  /** An agent that holds other keys and the fleet's. */
  readonly hasAgent?: boolean;
  /** How many; default 2. */
  readonly otherKeys?: number;
  /** By default Grid's own SSH gets in without a word. Else what it says while `ssh` is asked. */
  readonly byOwnSsh?: RegExp;
  /** Or why neither transport goes in, and what to do. */
  readonly refused?: RegExp;
}

const HOST = "Host gpu\n  HostName <host>\n  Port <port>\n  User <user>\n";
const KEY = "  IdentityFile ~/.ssh/fleet\n";

/** A link-local address of this machine with its interface, if it has one. */
const linkLocal = Object.entries(networkInterfaces())
  .flatMap(([name, all]) => (all ?? []).map(({ address }) => `${address.split("%")[0]}%${name}`))
  .find((address) => address.startsWith("fe80:"));

const SITUATIONS: Readonly<Record<string, Situation>> = {
  "an alias with everything": { config: HOST + KEY },
  "a default key and nothing said of it": {
    config: HOST,
    prepare: (ssh) => Deno.renameSync(`${ssh}/fleet`, `${ssh}/id_ed25519`),
  },
  "patterns, capitals and negation": {
    config: `Host !GPU-9 GPU-?\n  IdentityFile ~/.ssh/fleet\n${HOST.replace("gpu", "GPU-*")}`,
    host: "GPU-1",
  },
  "signs, tabs, quotes, comments and CRLF": {
    config: '# mine\r\nHost = gpu\r\n\tHostName="<host>"\r\n\tPort = <port>\r\n' +
      '\tIdentityFile "~/.ssh/fleet"\r\n\tUser <user> # me\r\n',
  },
  "Match host and originalhost": {
    config: `${HOST}Match originalhost gpu host <host>\n${KEY}`,
  },
  "Match user": { config: `${HOST}Match user <user>\n${KEY}` },
  "Match localuser": { config: `${HOST}Match localuser <user>\n${KEY}` },
  "Match exec": { config: `${HOST}Match host <host> exec "test %p = <port>"\n${KEY}` },
  "Match final": { config: `${HOST}Match final host <host>\n${KEY}` },
  "Match all at the end": { config: `${HOST}Match all\n${KEY}` },
  "Include, relative, by pattern and nested": {
    config: "Include conf.d/*.conf\n",
    files: { "conf.d/10.conf": `Include deep\n${HOST}`, "deep": `Host *\n${KEY}` },
  },
  "Include under Host": {
    config: `Host gpu\n  Include only_gpu\n${HOST}`,
    files: { only_gpu: KEY },
  },
  "Include below the home": { config: "Include ~/.ssh/mine\n", files: { mine: HOST + KEY } },
  "tokens in IdentityFile": {
    config: `${HOST}  IdentityFile %d/.ssh/%n-%h-%p-%r-%u-%i-%L\n`,
    prepare: (ssh) => {
      const [name] = Deno.hostname().split(".");
      const { host, port, user } = place();
      const file = `gpu-${host}-${port}-${user}-${user}-${Deno.uid()}-${name}`;
      Deno.renameSync(`${ssh}/fleet`, `${ssh}/${file}`);
    },
  },
  "a variable in IdentityFile": {
    config: `${HOST}  IdentityFile \${FLEET_KEYS}/fleet\n`,
    env: { FLEET_KEYS: `${accountHome()}/.ssh` },
  },
  "several keys, the right one last": {
    config: `${HOST}  IdentityFile ~/.ssh/other\n  IdentityFile ~/.ssh/missing\n${KEY}`,
    prepare: (ssh) => keygen("-t", "rsa", "-b", "2048", "-N", "", "-f", `${ssh}/other`),
  },
  "IdentityAgent by path": {
    config: `${HOST}  IdentityAgent ~/.ssh/agent.sock\n`,
    hasAgent: true,
    prepare: (ssh) => Deno.removeSync(`${ssh}/fleet`),
  },
  "IdentityAgent by variable": {
    config: `${HOST}  IdentityAgent $FLEET_AGENT\n`,
    hasAgent: true,
    env: { FLEET_AGENT: `${accountHome()}/.ssh/agent.sock` },
    prepare: (ssh) => Deno.removeSync(`${ssh}/fleet`),
  },
  "IdentitiesOnly with the public half of an agent's key": {
    config: `${HOST}  IdentityFile ~/.ssh/fleet.pub\n  IdentitiesOnly yes\n`,
    hasAgent: true,
    otherKeys: 8,
    env: { SSH_AUTH_SOCK: `${accountHome()}/.ssh/agent.sock` },
    prepare: (ssh) => Deno.removeSync(`${ssh}/fleet`),
  },
  "IdentityAgent none beside a key file": {
    config: `${HOST}${KEY}  IdentityAgent none\n`,
    env: { SSH_AUTH_SOCK: "/nonexistent" },
  },
  "ProxyJump": { config: `${HOST}${KEY}  ProxyJump jump\n${jumps("jump", 1)}` },
  "a chain of ProxyJump": {
    config: `${HOST}${KEY}  ProxyJump jump,second\n${jumps("jump", 1)}${jumps("second", 2)}`,
  },
  "ProxyJump for all but the jump host": {
    config: `${HOST}${KEY}${jumps("jump", 1)}Host * !jump\n  ProxyJump jump\n`,
  },
  "ProxyJump with user and port": {
    config: `${HOST}${KEY}  ProxyJump <user>@<host1>:<port1>\nHost <host1>\n${KEY}`,
  },
  "ProxyCommand": {
    config: `${HOST}${KEY}  ProxyCommand ssh -W %h:%p jump\n${jumps("jump", 1)}`,
    byOwnSsh: /ProxyCommand/,
  },
  "ProxyUseFdpass aside: ProxyCommand none": {
    config: `${HOST}${KEY}  ProxyCommand none\nHost *\n  ProxyCommand false\n`,
  },
  "a certificate beside the key": {
    config: HOST.replaceAll(">", "3>") + "  IdentityFile ~/.ssh/certified\n",
    prepare: (ssh) => certify(ssh),
    byOwnSsh: /certificate/,
  },
  "CertificateFile": {
    config: `${HOST.replaceAll(">", "3>")}  IdentityFile ~/.ssh/certified\n` +
      "  CertificateFile ~/.ssh/by_%r.pub\n",
    prepare: (ssh) => {
      certify(ssh);
      Deno.renameSync(`${ssh}/certified-cert.pub`, `${ssh}/by_${place().user}.pub`);
    },
    byOwnSsh: /certificate/,
  },
  "a host key vouched for by an authority": {
    config: HOST.replaceAll(">", "3>") + KEY,
    prepare: (ssh) => {
      const [type, key] = Deno.readTextFileSync(`${current().folder}/authority.pub`).split(" ");
      Deno.writeTextFileSync(`${ssh}/known_hosts`, `@cert-authority * ${type} ${key}\n`);
    },
    byOwnSsh: /certificate/,
  },
  "HostKeyAlias": {
    config: `${HOST}${KEY}  HostKeyAlias fleet\n`,
    prepare: (ssh) => renameHost(ssh, "fleet"),
  },
  "hashed known_hosts": {
    config: `${HOST}${KEY}  HashKnownHosts yes\n`,
    prepare: (ssh) => {
      keygen("-H", "-f", `${ssh}/known_hosts`);
      Deno.removeSync(`${ssh}/known_hosts.old`);
    },
  },
  "wildcards and negation in known_hosts": {
    config: HOST + KEY,
    prepare: (ssh) => renameHost(ssh, `[127.0.0.*]:${place().port},![127.0.0.99]:*`),
  },
  "a list of UserKnownHostsFile": {
    config: `${HOST}${KEY}  UserKnownHostsFile ~/.ssh/none %d/.ssh/known_%n\n`,
    prepare: (ssh) => Deno.renameSync(`${ssh}/known_hosts`, `${ssh}/known_gpu`),
  },
  "GlobalKnownHostsFile": {
    config: `${HOST}${KEY}  GlobalKnownHostsFile ${accountHome()}/.ssh/of_all\n`,
    prepare: (ssh) => Deno.renameSync(`${ssh}/known_hosts`, `${ssh}/of_all`),
  },
  "KnownHostsCommand": {
    config: `${HOST}${KEY}  KnownHostsCommand /bin/cat ${accountHome()}/.ssh/told\n`,
    prepare: (ssh) => Deno.renameSync(`${ssh}/known_hosts`, `${ssh}/told`),
    byOwnSsh: /KnownHostsCommand/,
  },
  "RevokedHostKeys": {
    config: `${HOST}${KEY}  RevokedHostKeys ${accountHome()}/.ssh/revoked\n`,
    files: { revoked: "" },
    byOwnSsh: /RevokedHostKeys/,
  },
  "StrictHostKeyChecking no, an unknown host": {
    config: `${HOST}${KEY}  StrictHostKeyChecking no\n  UserKnownHostsFile /dev/null\n`,
    refused: /its host key is not known.*grid trust gpu/,
  },
  "HostKeyAlgorithms": { config: `${HOST}${KEY}  HostKeyAlgorithms ssh-ed25519\n` },
  "only post-quantum key exchange": {
    config: HOST.replaceAll(">", "4>") + KEY,
    byOwnSsh: /no matching key exchange/,
  },
  "ControlMaster with a kept connection": {
    config: `${HOST}${KEY}  ControlMaster auto\n  ControlPath ~/.ssh/cm-%C\n  ControlPersist 20\n`,
  },
  "CanonicalizeHostname": {
    config: "CanonicalizeHostname yes\nCanonicalDomains fleet.test\n" +
      `Host gpu.fleet.test\n  Port <port>\n${KEY}`,
    // ssh asks for the name with its last dot.
    hosts: ["<host> gpu.fleet.test gpu.fleet.test."],
    prepare: (ssh) => renameHost(ssh, `[gpu.fleet.test]:${place().port}`),
  },
  "a name with two addresses, the first of them dead": {
    config: `Host gpu\n  HostName two.fleet.test\n  Port <port>\n${KEY}`,
    hosts: ["127.0.0.77 two.fleet.test", "<host> two.fleet.test"],
    prepare: (ssh) => renameHost(ssh, `[two.fleet.test]:${place().port}`),
  },
  "AddressFamily": {
    config: `Host gpu\n  HostName six.fleet.test\n  AddressFamily inet6\n  Port <port5>\n${KEY}`,
    hosts: ["127.0.0.1 six.fleet.test", "::1 six.fleet.test"],
    prepare: (ssh) => renameHost(ssh, `[six.fleet.test]:${place(5).port}`, 5),
  },
  "SetEnv, SendEnv and LogLevel": {
    config: `${HOST}${KEY}  SetEnv FLEET=1\n  SendEnv LANG LC_*\n  LogLevel QUIET\n`,
  },
  "forwards and a local command": {
    config: `${HOST}${KEY}  LocalForward 127.0.0.1:1 <host>:1\n  ForwardAgent yes\n` +
      "  ForwardX11 yes\n  PermitLocalCommand yes\n  LocalCommand true\n",
  },
  "BatchMode, keep-alive, compression and patience": {
    config: `${HOST}${KEY}  BatchMode yes\n  Compression yes\n  ConnectTimeout 3\n` +
      "  ServerAliveInterval 5\n  TCPKeepAlive no\n  IPQoS none\n  ConnectionAttempts 2\n",
  },
  "IgnoreUnknown for a word of another system": {
    config: `IgnoreUnknown UseKeychain,AddKeysToAgent2\n${HOST}${KEY}  UseKeychain yes\n`,
  },
  "BindAddress": { config: `${HOST}${KEY}  BindAddress 127.0.0.1\n`, byOwnSsh: /BindAddress/ },
  "PubkeyAcceptedAlgorithms and preferences": {
    config: `${HOST}${KEY}  PubkeyAcceptedAlgorithms +ssh-rsa\n` +
      "  PreferredAuthentications publickey\n  GSSAPIAuthentication yes\n",
  },
};

/** Words of the user's for an interactive session, which `ssh gpu true` itself trips over. */
const FOR_A_PERSON: Readonly<Record<string, Situation>> = {
  "RemoteCommand and RequestTTY": {
    config: `${HOST}${KEY}  RemoteCommand tmux attach\n  RequestTTY force\n`,
  },
  "ForkAfterAuthentication, StdinNull and SessionType": {
    config: `${HOST}${KEY}  ForkAfterAuthentication yes\n  StdinNull yes\n  SessionType none\n`,
  },
};

function jumps(alias: string, index: number): string {
  return `Host ${alias}\n  HostName <host${index}>\n  Port <port${index}>\n  User <user>\n${KEY}`;
}

let lab: OpenSshLab | undefined;
const current = () => {
  assert.ok(lab);
  return lab;
};

/** The numbers in angle brackets; none is the first node. */
function place(index = 0): { readonly host: string; readonly port: number; readonly user: string } {
  const node = current().nodes[index];
  assert.ok(node);
  return { host: node.host, port: node.port, user: node.endpoint.user ?? "" };
}

function fill(text: string): string {
  return text.replaceAll(
    /<(host|port|user)(\d?)>/g,
    (_, word: "host" | "port" | "user", index) => String(place(Number(index))[word]),
  );
}

function keygen(...args: string[]): void {
  const { success, stderr } = new Deno.Command("ssh-keygen", { args: ["-q", ...args] })
    .outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** A key that the server knows by its authority alone. */
function certify(ssh: string): void {
  keygen("-t", "ed25519", "-N", "", "-f", `${ssh}/certified`);
  const authority = `${current().folder}/authority`;
  keygen("-s", authority, "-I", "me", "-n", place().user, `${ssh}/certified.pub`);
}

/** The first node's key under another name alone. */
function renameHost(ssh: string, name: string, index = 0): void {
  const line = Deno.readTextFileSync(`${ssh}/known_hosts`).split("\n")[index] ?? "";
  Deno.writeTextFileSync(`${ssh}/known_hosts`, `${line.replace(/^\S+/, name)}\n`);
}

function furnish(ssh: string, { config, files = {}, prepare }: Situation): void {
  const { keyFile, knownHosts } = current();
  Deno.copyFileSync(keyFile, `${ssh}/fleet`);
  Deno.copyFileSync(`${keyFile}.pub`, `${ssh}/fleet.pub`);
  Deno.copyFileSync(knownHosts, `${ssh}/known_hosts`);
  for (const [name, text] of Object.entries({ ...files, config })) {
    const path = `${ssh}/${name}`;
    Deno.mkdirSync(path.replace(/\/[^/]*$/, ""), { recursive: true });
    Deno.writeTextFileSync(path, fill(text), { mode: 0o600 });
  }
  prepare?.(ssh);
}

/** A home that is not the account's, as programs that ask the passwd database see it. */
class Home implements AsyncDisposable {
  readonly #dir = tempDir();
  readonly #folder = `${this.#dir.path}/home`;
  readonly #child: Deno.ChildProcess;
  readonly #answers: ReadableStreamDefaultReader<string>;
  #count = 0;

  constructor() {
    Deno.mkdirSync(this.#folder, { mode: 0o700 });
    this.#child = commandAtHome(
      { folder: this.#folder },
      [Deno.execPath(), "run", "-q", "-A", PROBE],
      { stdin: "piped" },
    ).spawn();
    this.#answers = this.#child.stdout.pipeThrough(new TextDecoderStream())
      .pipeThrough(new TextLineStream()).getReader();
  }

  async tryOut(situation: Situation, { isForAPerson = false } = {}): Promise<void> {
    using dir = tempDir();
    const { host = "gpu", hasAgent = false, hosts = [], env = {} } = situation;
    using agent = hasAgent ? startAgent(dir.path) : undefined;
    for (let index = 0; agent && index < (situation.otherKeys ?? 2); index++) {
      keygen("-t", "ed25519", "-N", "", "-f", `${dir.path}/other${index}`);
      agent.add(`${dir.path}/other${index}`);
    }
    agent?.add(current().keyFile);
    const ssh = `${this.#folder}/of_${++this.#count}`;
    Deno.mkdirSync(ssh, { mode: 0o700 });
    // The agent's socket must be found below the home that lies over the other one.
    if (agent) Deno.symlinkSync(agent.socket, `${ssh}/agent.sock`);
    furnish(ssh, situation);
    writeHosts(this.#folder, hosts.map(fill));
    if (this.#count > 1) Deno.removeSync(`${this.#folder}/.ssh`);
    Deno.symlinkSync(`of_${this.#count}`, `${this.#folder}/.ssh`);
    const strict = situation.refused ? [] : ["StrictHostKeyChecking=yes"];
    const words = isForAPerson ? [...strict, ...NOT_FOR_A_PERSON] : strict;
    const options = words.flatMap((word) => ["-o", word]);
    const probe = await this.#ask({ host, env: { SSH_AUTH_SOCK: "", ...env }, options });
    assert.equal(probe.plain.answer, "in\n", `ssh itself does not get in: ${probe.plain.said}`);
    judge(probe, situation);
  }

  async #ask(question: Question): Promise<Probe> {
    const writer = this.#child.stdin.getWriter();
    await writer.write(new TextEncoder().encode(`${JSON.stringify(question)}\n`));
    writer.releaseLock();
    const { value } = await this.#answers.read();
    assert.ok(value !== undefined, "the probe has ended");
    return JSON.parse(value);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#child.stdin.close();
    await this.#answers.cancel();
    const said = await new Response(this.#child.stderr).text();
    const { code } = await this.#child.status;
    this.#dir[Symbol.dispose]();
    assert.equal(code, 0, said);
  }
}

const NOT_FOR_A_PERSON = [
  "RequestTTY=no",
  "RemoteCommand=none",
  "SessionType=default",
  "ForkAfterAuthentication=no",
];
const PROBE = new URL("../../support/ssh_probe.ts", import.meta.url).pathname;

function judge({ ssh, openssh }: Probe, { byOwnSsh, refused }: Situation): void {
  if (refused) {
    for (const { problem } of [ssh, openssh]) assert.match(problem ?? "", refused);
    return;
  }
  assert.equal(openssh.answer, "in\n", `openssh: ${openssh.problem}`);
  assert.deepEqual(openssh.lines, []);
  assert.equal(ssh.answer, "in\n", `ssh: ${ssh.problem} ${ssh.lines.join("\n")}`);
  if (byOwnSsh) assert.match(ssh.lines.join("\n"), byOwnSsh);
  assert.equal(ssh.lines.length, byOwnSsh ? 1 : 0, ssh.lines.join("\n"));
}

/** Nodes 0 to 2 are plain; 3 knows certificates, 4 only post-quantum key exchange, 5 is on `::1`. */
async function startLab(folder: string): Promise<AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  const made = stack.use(await startOpenSsh({ nodes: 3, gpus: 0 }));
  const authority = `${made.folder}/authority`;
  const hostKey = `${folder}/host_key`;
  keygen("-t", "ed25519", "-N", "", "-f", authority);
  keygen("-t", "ed25519", "-N", "", "-f", hostKey);
  keygen("-s", authority, "-I", "node", "-h", "-n", "127.0.0.2", `${hostKey}.pub`);
  const start = async (host: string, sshdConfig: readonly string[]): Promise<OpenSshNode> => {
    const other = stack.use(await startOpenSsh({ nodes: 1, gpus: 0, host, sshdConfig }));
    const [node] = other.nodes;
    assert.ok(node);
    const ownKey = sshdConfig.map((word) => /^HostKey (.*)/.exec(word)?.[1]).find(Boolean);
    const [name] = Deno.readTextFileSync(other.knownHosts).split(" ");
    const line = ownKey
      ? `${name} ${Deno.readTextFileSync(`${ownKey}.pub`)}`
      : Deno.readTextFileSync(other.knownHosts);
    Deno.writeTextFileSync(made.knownHosts, line, { append: true });
    Deno.writeTextFileSync(`${other.keyFile}.pub`, Deno.readTextFileSync(`${made.keyFile}.pub`));
    return node;
  };
  const nodes = [
    ...made.nodes,
    await start("127.0.0.2", [
      `TrustedUserCAKeys ${authority}.pub`,
      `HostKey ${hostKey}`,
      `HostCertificate ${hostKey}-cert.pub`,
    ]),
    await start("127.0.0.2", ["KexAlgorithms sntrup761x25519-sha512@openssh.com"]),
    await start("::1", []),
    ...(linkLocal ? [await start(linkLocal, [])] : []),
  ];
  lab = { ...made, nodes };
  return stack;
}

testWith(["sshd", "root"], "what ssh reaches, Grid reaches", async (context) => {
  using dir = tempDir();
  await using _lab = await startLab(dir.path);
  await using home = new Home();
  for (const [name, situation] of Object.entries(SITUATIONS)) {
    await context.step(name, () => home.tryOut(situation));
  }
  for (const [name, situation] of Object.entries(FOR_A_PERSON)) {
    await context.step(name, () => home.tryOut(situation, { isForAPerson: true }));
  }
  await context.step({
    name: "an address that counts on one interface only",
    ignore: linkLocal === undefined,
    fn: () => {
      const hostName = place(6).host.replace("%", "%%");
      const config = `Host gpu\n  HostName ${hostName}\n  Port <port6>\n${KEY}`;
      return home.tryOut({ config, byOwnSsh: /one interface/ });
    },
  });
});
