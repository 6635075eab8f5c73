/** What only the system's own `ssh` can do, and how its refusals are told. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import type { GridError } from "../../../src/core/errors.ts";
import { createPool } from "../../../src/transport/pool.ts";
import type { Endpoint } from "../../../src/transport/transport.ts";
import { startAgent } from "../../support/agent.ts";
import { keepDiary } from "../../support/diary.ts";
import { type OpenSshNode, startOpenSsh } from "../../support/openssh.ts";
import { testWith } from "../../support/requires.ts";
import { type TempDir, tempDir } from "../../support/temp_dir.ts";
import { isGridError } from "../../support/transport_contract.ts";

interface Rig {
  readonly node: OpenSshNode;
  readonly keyFile: string;
  readonly dir: TempDir;
  /** By `ssh`, to be changed by the test. */
  readonly endpoint: Endpoint;
}

interface RigOptions {
  readonly sshdConfig?: (dir: TempDir) => readonly string[];
}

function loginTest(name: string, run: (rig: Rig) => Promise<void>, options: RigOptions = {}) {
  testWith(["sshd"], name, async () => {
    using dir = tempDir();
    const sshdConfig = options.sshdConfig?.(dir) ?? [];
    await using lab = await startOpenSsh({ nodes: 1, gpus: 0, sshdConfig });
    const [node] = lab.nodes;
    assert.ok(node);
    await run({ node, keyFile: lab.keyFile, dir, endpoint: node.endpoint });
  });
}

interface Circumstances {
  readonly sshConfig?: string;
  /** As on a machine that has no `ssh`. */
  readonly hasSsh?: boolean;
}

/** What a first command comes to; `ssh` is told apart from `openssh` by the endpoint. */
async function answerOf(
  endpoint: Endpoint,
  { sshConfig, hasSsh = true }: Circumstances = {},
): Promise<string> {
  const env = hasSsh ? Deno.env.toObject() : { PATH: "/nonexistent" };
  await using pool = createPool({ handshakes: 1, sshConfig, env });
  return (await pool.transport(endpoint).exec("echo in")).stdout;
}

async function refusalOf(endpoint: Endpoint, circumstances?: Circumstances) {
  const problem = await answerOf(endpoint, circumstances).then(() => undefined, (error) => error);
  assert.ok(problem, "it was let in");
  return problem as Error & { readonly code: string; readonly hint: string };
}

interface BeyondCase extends Circumstances {
  /** Of the refusal where there is no `ssh`. */
  readonly code: GridError["code"];
  readonly names: RegExp;
}

/** Let in by either way, with one line where Grid's own lacks something; without `ssh` a word about it. */
async function letInByFallback(
  endpoint: Endpoint,
  { code, names, ...circumstances }: BeyondCase,
): Promise<void> {
  using diary = keepDiary();
  assert.equal(await answerOf({ ...endpoint, transport: "openssh" }, circumstances), "in\n");
  assert.deepEqual(diary.lines, []);
  assert.equal(await answerOf(endpoint, circumstances), "in\n");
  assert.equal(diary.lines.length, 1, diary.lines.join("\n"));
  assert.match(diary.lines.join(), /^node1: reached with your own ssh: /);
  assert.match(diary.lines.join(), names);
  const refusal = await refusalOf(endpoint, { ...circumstances, hasSsh: false });
  isGridError(code)(refusal);
  assert.match(refusal.message, names);
  assert.match(refusal.hint, /install OpenSSH/);
}

function keygen(...args: string[]): void {
  const { success, stderr } = new Deno.Command("ssh-keygen", { args: ["-q", ...args] })
    .outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
}

/** An authority, and a host key that it has vouched for. */
function makeCertificate(dir: TempDir, { expired = false } = {}): readonly string[] {
  const [authority, hostKey] = [`${dir.path}/ca`, `${dir.path}/certified`];
  keygen("-t", "ed25519", "-N", "", "-f", authority);
  keygen("-t", "ed25519", "-N", "", "-f", hostKey);
  const validity = expired ? ["-V", "20200101:20200102"] : [];
  keygen("-s", authority, "-I", "node", "-h", "-n", "127.0.0.2", ...validity, `${hostKey}.pub`);
  return [`HostKey ${hostKey}`, `HostCertificate ${hostKey}-cert.pub`];
}

/** A `known_hosts` with nothing but the authority. */
function trustAuthority(dir: TempDir): string {
  const [type, key] = Deno.readTextFileSync(`${dir.path}/ca.pub`).split(" ");
  const knownHosts = `${dir.path}/known_hosts`;
  Deno.writeTextFileSync(knownHosts, `@cert-authority * ${type} ${key}\n`);
  return knownHosts;
}

loginTest(
  "a host certificate is checked by ssh, which is asked without being named",
  async ({ endpoint, dir }) => {
    const knownHosts = trustAuthority(dir);
    await letInByFallback({ ...endpoint, knownHosts }, {
      code: "host-key",
      names: /certificate/,
    });
  },
  { sshdConfig: makeCertificate },
);

loginTest(
  "an expired host certificate is refused, and told from an unknown key",
  async ({ endpoint, dir }) => {
    const knownHosts = trustAuthority(dir);
    const refusal = await refusalOf({ ...endpoint, knownHosts, transport: "openssh" });
    isGridError("host-key")(refusal);
    assert.match(refusal.message, /certificate is not valid .*expired/);
  },
  { sshdConfig: (dir) => makeCertificate(dir, { expired: true }) },
);

loginTest("a ProxyCommand is followed", async ({ node, endpoint, dir, keyFile }) => {
  const sshConfig = `${dir.path}/config`;
  const proof = `${dir.path}/proof`;
  Deno.writeTextFileSync(
    sshConfig,
    `Host ${node.name}\n  HostName ${node.host}\n` +
      `  ProxyCommand sh -c "touch ${proof}; exec ssh -F /dev/null ` +
      `-i ${keyFile} -o UserKnownHostsFile=${endpoint.knownHosts} -p %p -W %h:%p %h"\n`,
    { mode: 0o600 },
  );
  await letInByFallback({ ...endpoint, host: undefined }, {
    sshConfig,
    code: "usage",
    names: /ProxyCommand/,
  });
  assert.ok(Deno.statSync(proof).isFile);
});

loginTest("an ECDSA key file opens the door", async ({ endpoint, dir, keyFile }) => {
  const key = `${dir.path}/ecdsa`;
  keygen("-t", "ecdsa", "-N", "", "-f", key);
  Deno.writeTextFileSync(`${keyFile}.pub`, Deno.readTextFileSync(`${key}.pub`), { append: true });
  await letInByFallback({ ...endpoint, keyFile: key }, { code: "auth", names: /ecdsa/ });
});

loginTest(
  "a server that allows only post-quantum key exchange is reached",
  ({ endpoint }) => letInByFallback(endpoint, { code: "algorithm", names: /no matching/ }),
  { sshdConfig: () => ["KexAlgorithms sntrup761x25519-sha512@openssh.com"] },
);

for (const place of ["beside the key", "in the agent"]) {
  loginTest(
    `a user's certificate ${place} opens the door`,
    async ({ endpoint, dir }) => {
      const key = `${dir.path}/certified`;
      keygen("-t", "ed25519", "-N", "", "-f", key);
      keygen("-s", `${dir.path}/users`, "-I", "me", "-n", endpoint.user ?? "", `${key}.pub`);
      using agent = startAgent(dir.path);
      if (place === "in the agent") {
        agent.add(key);
        Deno.removeSync(`${key}-cert.pub`);
      }
      Deno.env.set("SSH_AUTH_SOCK", place === "in the agent" ? agent.socket : "");
      try {
        const keyFile = place === "in the agent" ? undefined : key;
        using diary = keepDiary();
        assert.equal(await answerOf({ ...endpoint, keyFile }), "in\n");
        assert.match(diary.lines.join(), /own SSH cannot log in with .*certificate/);
      } finally {
        Deno.env.delete("SSH_AUTH_SOCK");
      }
    },
    {
      sshdConfig: (dir) => {
        keygen("-t", "ed25519", "-N", "", "-f", `${dir.path}/users`);
        return [
          `TrustedUserCAKeys ${dir.path}/users.pub`,
          "AuthorizedKeysFile none",
        ];
      },
    },
  );
}

for (const transport of ["ssh", "openssh"] as const) {
  loginTest(
    `${transport} says that the key was accepted, and what else the server wants`,
    async ({ endpoint, dir }) => {
      const check = async () => {
        const refusal = await refusalOf({ ...endpoint, transport });
        isGridError("auth")(refusal);
        assert.match(refusal.message, /the key was accepted \(.*SHA256:.*also wants a password$/);
        assert.match(refusal.hint, /grid login node1/);
        assert.doesNotMatch(refusal.message, /refused/);
      };
      await check();
      using agent = startAgent(dir.path);
      agent.add(endpoint.keyFile ?? "");
      Deno.env.set("SSH_AUTH_SOCK", agent.socket);
      try {
        await check();
      } finally {
        Deno.env.delete("SSH_AUTH_SOCK");
      }
    },
    {
      sshdConfig: () => ["PasswordAuthentication yes", "AuthenticationMethods publickey,password"],
    },
  );
}

for (const transport of ["ssh", "openssh"] as const) {
  loginTest(
    `${transport} names the way to answer a server that takes no keys`,
    async ({ endpoint }) => {
      const refusal = await refusalOf({ ...endpoint, transport });
      isGridError("auth")(refusal);
      assert.match(refusal.hint, /answer once at a terminal, .*grid login node1$/);
    },
    { sshdConfig: () => ["PasswordAuthentication yes", "PubkeyAuthentication no"] },
  );
}

loginTest(
  "your own open connection is ridden on where a login would ask, and stays open",
  async ({ node, endpoint, dir, keyFile }) => {
    const socket = `${dir.path}/cm`;
    const sshConfig = `${dir.path}/config`;
    Deno.writeTextFileSync(sshConfig, `Host *\n  ControlPath ${socket}\n`, { mode: 0o600 });
    // Opened with a key that Grid is not told of: a stand-in for a person who answers.
    const args = ["-F", sshConfig, "-M", "-N", "-i", keyFile, "-p", String(node.port)];
    const master = new Deno.Command("ssh", {
      args: [...args, "-o", `UserKnownHostsFile=${endpoint.knownHosts}`, node.host],
    }).spawn();
    const stranger = { ...endpoint, keyFile: `${dir.path}/stranger` };
    keygen("-t", "ed25519", "-N", "", "-f", stranger.keyFile);
    try {
      while (!existsSync(socket)) await new Promise((resolve) => setTimeout(resolve, 20));
      using diary = keepDiary();
      assert.equal(await answerOf(stranger, { sshConfig }), "in\n");
      assert.match(diary.lines.join(), /^node1: rides on your own open ssh connection/);
      const logins = node.readLog().match(/Connection from/g)?.length;
      const openssh = {
        ...stranger,
        host: undefined,
        name: node.host,
        transport: "openssh",
      } as const;
      assert.equal(await answerOf(openssh, { sshConfig }), "in\n");
      assert.equal(node.readLog().match(/Connection from/g)?.length, logins, "no login of ours");
      assert.ok(existsSync(socket), "it is the user's to close");
    } finally {
      master.kill("SIGTERM");
      await master.status;
    }
    isGridError("auth")(await refusalOf(stranger, { sshConfig }));
  },
);

loginTest(
  "openssh refuses unknown, changed and revoked host keys before any login",
  async ({ node, endpoint, dir }) => {
    const [name, type, key] = Deno.readTextFileSync(endpoint.knownHosts ?? "").trim().split(" ");
    keygen("-t", "ed25519", "-N", "", "-f", `${dir.path}/other`);
    const [, other] = Deno.readTextFileSync(`${dir.path}/other.pub`).split(" ");
    const cases: Record<string, [string, RegExp]> = {
      unknown: ["", /is not known: it showed ED25519 SHA256:\S{43}/],
      changed: [`${name} ${type} ${other}\n`, /changed: .*changed:1 .* ED25519 SHA256:\S{43}/],
      revoked: [`@revoked * ${type} ${key}\n${name} ${type} ${key}\n`, /SHA256:\S{43} is revoked/],
    };
    for (const [kind, [text, message]] of Object.entries(cases)) {
      const knownHosts = `${dir.path}/${kind}`;
      Deno.writeTextFileSync(knownHosts, text);
      const refusal = await refusalOf({ ...endpoint, knownHosts, transport: "openssh" });
      isGridError("host-key")(refusal);
      assert.match(refusal.message, message);
      assert.equal(Deno.readTextFileSync(knownHosts), text, "the file is never rewritten");
    }
    assert.doesNotMatch(node.readLog(), /Accepted|Failed|Postponed/);
    assert.equal(node.readLog().match(/Connection from/g)?.length, 3, "no second try");
  },
);

loginTest(
  "openssh names a key that the server refused",
  async ({ node, endpoint, dir, keyFile }) => {
    const key = `${dir.path}/stranger`;
    keygen("-t", "ed25519", "-N", "", "-f", key);
    const stranger = { ...endpoint, keyFile: key, transport: "openssh" } as const;
    const refusal = await refusalOf(stranger);
    isGridError("auth")(refusal);
    assert.match(refusal.message, new RegExp(`as ${endpoint.user}: the server refused ${key} `));
    Deno.chmodSync(keyFile, 0o644);
    const open = await refusalOf({ ...endpoint, transport: "openssh" });
    assert.match(open.message, /Permissions 0644 for .* are too open/);
    assert.equal(node.acceptedLogins(), 0);
  },
);

loginTest("openssh tells a name, a port and a configuration that are wrong", async (rig) => {
  const endpoint = { ...rig.endpoint, transport: "openssh" } as const;
  isGridError("dns")(await refusalOf({ ...endpoint, host: "no-such-host.invalid" }));
  const refused = await refusalOf({ ...endpoint, port: 1 });
  isGridError("tcp")(refused);
  assert.match(refused.message, /Cannot connect to "node1" \(127\.0\.0\.2 port 1\): .*refused/);
  const sshConfig = `${rig.dir.path}/config`;
  Deno.writeTextFileSync(sshConfig, "NoSuchOption yes\n");
  const broken = await refusalOf(endpoint, { sshConfig });
  isGridError("usage")(broken);
  assert.match(broken.message, /NoSuchOption|nosuchoption/);
  for (const name of ["-oProxyCommand=evil", "a b", "$(id)"]) {
    isGridError("usage")(await refusalOf({ ...endpoint, name }));
    isGridError("usage")(await refusalOf({ ...endpoint, host: name }));
    isGridError("usage")(await refusalOf({ ...endpoint, user: name }));
    isGridError("usage")(await refusalOf({ ...endpoint, proxyJump: name }));
  }
  isGridError("usage")(await refusalOf({ ...endpoint, knownHosts: '/a"\nProxyCommand evil' }));
});
