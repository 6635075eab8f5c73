import assert from "node:assert/strict";
import { preferredCiphers } from "../../../../src/transport/openssh/ciphers.ts";
import { sshConfigOf } from "../../../../src/transport/openssh/ssh_config.ts";
import type { Endpoint } from "../../../../src/transport/transport.ts";
import { testWith } from "../../../support/requires.ts";
import { tempDir } from "../../../support/temp_dir.ts";
import { isGridError } from "../../../support/transport_contract.ts";

const ENDPOINT: Endpoint = {
  name: "gpu1",
  transport: "openssh",
  host: undefined,
  port: undefined,
  user: undefined,
  keyFile: undefined,
  knownHosts: undefined,
  proxyJump: undefined,
  connectTimeoutMs: 4500,
  commandTimeoutMs: 10_000,
  keepaliveMs: 15_000,
  maxRetries: 3,
};

const configOf = (change: Partial<Endpoint>) =>
  sshConfigOf({ ...ENDPOINT, ...change }, {
    env: { HOME: "/home/ml" },
    account: { name: "ml", home: "/home/ml" },
  });

Deno.test("sshConfigOf() leaves everything to the user's files but what Grid insists on", () => {
  assert.equal(
    configOf({}),
    [
      "Host gpu1",
      "  ServerAliveInterval 15",
      "  ServerAliveCountMax 3",
      "  PermitLocalCommand no",
      "  ForwardX11 no",
      "Host *",
      "  BatchMode yes",
      "  StrictHostKeyChecking yes",
      "  UpdateHostKeys no",
      "  ForwardAgent no",
      "  ConnectTimeout 5",
      'Include "/home/ml/.ssh/config"',
      'Include "/etc/ssh/ssh_config"',
      "",
    ].join("\n"),
  );
});

testWith(["sshd"], "ssh prefers the fast ciphers unless the user's files say which", async () => {
  const ciphers = await preferredCiphers();
  using folder = tempDir();
  const asked = (users: string) => {
    const sshConfig = `${folder.path}/users`;
    Deno.writeTextFileSync(sshConfig, users);
    const env = { HOME: folder.path };
    Deno.writeTextFileSync(
      `${folder.path}/config`,
      sshConfigOf(ENDPOINT, { env, sshConfig, ciphers }),
    );
    const { stdout } = new Deno.Command("ssh", {
      args: ["-G", "-F", `${folder.path}/config`, "gpu1"],
    }).outputSync();
    return /^ciphers (.*)$/m.exec(new TextDecoder().decode(stdout))?.[1];
  };
  assert.match(asked("Host other\n  Ciphers aes256-ctr\n") ?? "", /^aes128-gcm@.*,chacha20/);
  assert.equal(asked("Host gpu*\n  Ciphers aes256-ctr\n"), "aes256-ctr");
});

Deno.test("sshConfigOf() lets ssh and its jump hosts ask where somebody is there", () => {
  const options = { env: { HOME: "/home/ml" }, account: { name: "ml", home: "/home/ml" } };
  const text = sshConfigOf(ENDPOINT, { ...options, mayAsk: true });
  assert.equal(text.replace("BatchMode no", "BatchMode yes"), configOf({}));
  assert.match(text, /^Host \*\n {2}BatchMode no$/m);
});

Deno.test("sshConfigOf() asks no agent where it is told which keys do", () => {
  const options = { env: { HOME: "/home/ml" }, account: { name: "ml", home: "/home/ml" } };
  const onlyKeys = ["/keys/hop", "/keys/node"];
  const text = sshConfigOf({ ...ENDPOINT, keyFile: "/keys/other" }, { ...options, onlyKeys });
  const own = text.slice(text.indexOf("Host *"), text.indexOf("Include")).split("\n");
  assert.deepEqual(own.filter((line) => /Identit/.test(line)), [
    '  IdentityFile "/keys/hop"',
    '  IdentityFile "/keys/node"',
    "  IdentitiesOnly yes",
    "  IdentityAgent none",
  ]);
  assert.match(text, /BatchMode yes/);
});

Deno.test("sshConfigOf() keeps the node's place to itself, and shares key and trust with jump hosts", () => {
  const [own = "", common = ""] = configOf({
    host: "10.0.0.7",
    port: 2222,
    user: "ml",
    keyFile: "/keys/100% mine",
    knownHosts: "/keys/hosts",
    proxyJump: "ops@bastion:2200, inner",
  }).split("Host *");
  for (const line of ["HostName 10.0.0.7", "Port 2222", "User ml"]) assert.match(own, RegExp(line));
  assert.match(own, /ProxyJump ops@bastion:2200,inner\n/);
  assert.match(common, /IdentityFile "\/keys\/100%% mine"\n {2}IdentitiesOnly yes\n/);
  assert.match(common, /UserKnownHostsFile "\/keys\/hosts"\n/);
});

Deno.test("sshConfigOf() refuses values that ssh could take for something else", () => {
  const bad: readonly Partial<Endpoint>[] = [
    { name: "a\nProxyCommand id" },
    { host: "-oProxyCommand=id" },
    { user: "a b" },
    { proxyJump: "a\nProxyCommand id" },
    { proxyJump: "$(id)" },
    { keyFile: '/a" "b' },
    { knownHosts: "/${HOME}/x" },
  ];
  for (const change of bad) assert.throws(() => configOf(change), isGridError("usage"));
});
