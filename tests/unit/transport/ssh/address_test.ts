import assert from "node:assert/strict";
import { hostname } from "node:os";
import { resolveAddress } from "../../../../src/transport/ssh/address.ts";
import type { Endpoint } from "../../../../src/transport/transport.ts";
import { testWith } from "../../../support/requires.ts";
import { tempDir } from "../../../support/temp_dir.ts";
import { isGridError } from "../../../support/transport_contract.ts";

const ENDPOINT: Endpoint = {
  name: "gpu1",
  transport: "ssh",
  host: undefined,
  port: undefined,
  user: undefined,
  keyFile: undefined,
  knownHosts: undefined,
  proxyJump: undefined,
  connectTimeoutMs: 5000,
  commandTimeoutMs: 10_000,
  keepaliveMs: 15_000,
  maxRetries: 3,
};

async function resolve(config: string, change: Partial<Endpoint> = {}, env = {}) {
  using dir = tempDir();
  const sshConfig = `${dir.path}/config`;
  Deno.writeTextFileSync(sshConfig, config);
  return await resolveAddress({ ...ENDPOINT, ...change }, {
    env: { HOME: "/home/ml", USER: "ml", ...env },
    account: { name: "ml", home: "/home/ml" },
    sshConfig,
  });
}

const CONFIG = `
Host gpu1
  HostName 10.0.0.7
  Port 2222
  User trainer
  IdentityFile ~/.ssh/fleet_%r
  IdentitiesOnly yes
  UserKnownHostsFile /keys/fleet_hosts /etc/fleet_hosts
  HostKeyAlias fleet
  ProxyJump ops@bastion:2200,inner
Host gpu2
  IdentityAgent none
Host gpu3
  ProxyCommand nc %h %p
Host gpu4
  HashKnownHosts yes
`;

testWith(
  ["sshd"],
  "resolveAddress() takes everything from the user's ssh configuration",
  async () => {
    const address = await resolve(CONFIG);
    assert.deepEqual(
      [address.host, address.port, address.user, address.hostKeyAlias],
      ["10.0.0.7", 2222, "trainer", "fleet"],
    );
    assert.deepEqual(address.identityFiles, ["/home/ml/.ssh/fleet_trainer"]);
    assert.equal(address.identitiesOnly, true);
    assert.deepEqual(address.knownHostsFiles.slice(0, 2), [
      "/keys/fleet_hosts",
      "/etc/fleet_hosts",
    ]);
    assert.deepEqual(address.jumps, ["ops@bastion:2200", "inner"]);
  },
);

testWith(["sshd"], "resolveAddress() lets the cluster's own settings win", async () => {
  const address = await resolve(CONFIG, {
    port: 22,
    user: "root",
    keyFile: "/keys/one",
    knownHosts: "/keys/known_hosts",
    proxyJump: "other",
  });
  assert.deepEqual([address.host, address.port, address.user], ["10.0.0.7", 22, "root"]);
  assert.deepEqual(address.identityFiles, ["/keys/one"]);
  assert.equal(address.knownHostsFiles[0], "/keys/known_hosts");
  assert.deepEqual(address.jumps, ["other"]);
  const direct = await resolve(CONFIG, { proxyJump: "none" });
  assert.deepEqual(direct.jumps, []);
});

testWith(["sshd"], "resolveAddress() treats a configured host as what follows ssh", async () => {
  const address = await resolve(CONFIG, { name: "box", host: "gpu1" });
  assert.deepEqual([address.node, address.host, address.port], ["box", "10.0.0.7", 2222]);
});

testWith(
  ["sshd"],
  "resolveAddress() finds the agent, unless the configuration says none",
  async () => {
    const env = { SSH_AUTH_SOCK: "/tmp/agent.sock" };
    assert.equal((await resolve(CONFIG, {}, env)).agentSocket, "/tmp/agent.sock");
    assert.equal((await resolve(CONFIG, { name: "gpu2" }, env)).agentSocket, undefined);
  },
);

testWith(["sshd"], "resolveAddress() falls back to OpenSSH's defaults", async () => {
  const address = await resolve("", { name: "plain-host" });
  assert.deepEqual([address.host, address.port], ["plain-host", 22]);
  assert.ok(address.identityFiles.includes("/home/ml/.ssh/id_ed25519"));
  assert.equal(address.identitiesChosen, false);
  assert.equal((await resolve(CONFIG, { name: "gpu4" })).hashKnownHosts, true);
});

testWith(["sshd"], "resolveAddress() names a broken configuration", async () => {
  await assert.rejects(resolve("Host gpu1\n  Prot 22\n"), isGridError("usage"));
});

Deno.test("resolveAddress() lets no name become an option or a command", async () => {
  for (const host of ["-oProxyCommand=id", "a b", "a\nb", "$(id)", "%h", "a;b", "`id`", ""]) {
    await assert.rejects(resolve("", { host }), isGridError("usage"), host);
    await assert.rejects(resolve("", { user: host }), isGridError("usage"), host);
  }
});

const TOKENS = `
Host gpu1
  HostName 10.0.0.7
  IdentityFile \${KEYS}/%n-%L-%u-%i-%p
  CertificateFile %d/cert-%h
  AddressFamily inet6
Match user trainer
  IdentityFile ~/trainer
Match originalhost gpu1 exec "test %p = 2222"
  IdentityFile ~/port
`;

testWith(["sshd"], "resolveAddress() asks as ssh would be called, with user and port", async () => {
  const plain = await resolve(TOKENS, {}, { KEYS: "/keys" });
  const asked = await resolve(TOKENS, { user: "trainer", port: 2222 }, { KEYS: "/keys" });
  assert.equal(plain.identityFiles.length, 1);
  assert.deepEqual(asked.identityFiles.slice(1), ["/home/ml/trainer", "/home/ml/port"]);
});

testWith(["sshd"], "resolveAddress() expands tokens and variables as ssh does", async () => {
  const short = hostname().split(".")[0];
  const address = await resolve(TOKENS, {}, { KEYS: "/keys" });
  assert.deepEqual(address.identityFiles, [`/keys/gpu1-${short}-ml-${Deno.uid()}-22`]);
  assert.deepEqual(address.certificateFiles, ["/home/ml/cert-10.0.0.7"]);
  assert.equal(address.family, 6);
});

testWith(
  ["sshd"],
  "resolveAddress() knows addresses that count on one interface only",
  async () => {
    const address = await resolve("", { host: "fe80::1%eth0" });
    assert.equal(address.host, "fe80::1%eth0");
    await assert.rejects(resolve("", { host: "fe80::1%eth0;id" }), isGridError("usage"));
    await assert.rejects(resolve("", { host: "gpu1%eth0" }), isGridError("usage"));
  },
);

testWith(["sshd"], "resolveAddress() names what only ssh itself can do", async () => {
  const { beyond } = await resolve(CONFIG, { name: "gpu3" });
  assert.deepEqual(beyond, ["ProxyCommand"]);
  assert.deepEqual((await resolve(CONFIG, { name: "gpu3", proxyJump: "other" })).beyond, []);
});
