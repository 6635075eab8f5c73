/** What only the system's own `ssh` can do, and how its refusals are told. */
import assert from "node:assert/strict";
import { createPool } from "../../../src/transport/pool.ts";
import type { Endpoint } from "../../../src/transport/transport.ts";
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

/** What a first command comes to; `ssh` is told apart from `openssh` by the endpoint. */
async function answerOf(endpoint: Endpoint, sshConfig?: string): Promise<string> {
  await using pool = createPool({ handshakes: 1, sshConfig });
  return (await pool.transport(endpoint).exec("echo in")).stdout;
}

async function refusalOf(endpoint: Endpoint, sshConfig?: string) {
  const problem = await answerOf(endpoint, sshConfig).then(() => undefined, (error) => error);
  assert.ok(problem, "it was let in");
  return problem as Error & { readonly code: string; readonly hint: string };
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
  "a host certificate is trusted by openssh; ssh says that it cannot, and names openssh",
  async ({ node, endpoint, dir }) => {
    const knownHosts = trustAuthority(dir);
    const refusal = await refusalOf({ ...endpoint, knownHosts });
    isGridError("host-key")(refusal);
    assert.match(refusal.message, /by certificate/);
    assert.match(refusal.hint, /transport: openssh/);
    assert.equal(node.acceptedLogins(), 0);
    assert.equal(await answerOf({ ...endpoint, knownHosts, transport: "openssh" }), "in\n");
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

loginTest(
  "a ProxyCommand is followed by openssh; ssh names the way out",
  async ({ node, endpoint, dir, keyFile }) => {
    const sshConfig = `${dir.path}/config`;
    const proof = `${dir.path}/proof`;
    Deno.writeTextFileSync(
      sshConfig,
      `Host ${node.name}\n  ProxyCommand sh -c "touch ${proof}; exec ssh -F /dev/null ` +
        `-i ${keyFile} -o UserKnownHostsFile=${endpoint.knownHosts} -p %p -W %h:%p %h"\n`,
    );
    const refusal = await refusalOf({ ...endpoint, host: undefined }, sshConfig);
    isGridError("usage")(refusal);
    assert.match(refusal.hint, /transport: openssh/);
    assert.equal(await answerOf({ ...endpoint, transport: "openssh" }, sshConfig), "in\n");
    assert.ok(Deno.statSync(proof).isFile);
    assert.equal(node.acceptedLogins(), 2, "one of the proxy, one of the node");
  },
);

loginTest(
  "an ECDSA key file opens the door by openssh; ssh names the way out",
  async ({ endpoint, dir, keyFile }) => {
    const key = `${dir.path}/ecdsa`;
    keygen("-t", "ecdsa", "-N", "", "-f", key);
    Deno.writeTextFileSync(`${keyFile}.pub`, Deno.readTextFileSync(`${key}.pub`), { append: true });
    const refusal = await refusalOf({ ...endpoint, keyFile: key });
    isGridError("auth")(refusal);
    assert.match(refusal.hint, /transport: openssh/);
    assert.equal(await answerOf({ ...endpoint, keyFile: key, transport: "openssh" }), "in\n");
  },
);

loginTest(
  "a server that allows only post-quantum key exchange is reached by openssh",
  async ({ endpoint }) => {
    const refusal = await refusalOf(endpoint);
    isGridError("kex")(refusal);
    assert.match(refusal.hint, /transport: openssh/);
    assert.equal(await answerOf({ ...endpoint, transport: "openssh" }), "in\n");
  },
  { sshdConfig: () => ["KexAlgorithms sntrup761x25519-sha512@openssh.com"] },
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
  const broken = await refusalOf(endpoint, sshConfig);
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
