import assert from "node:assert/strict";
import { sshHomeOf, thisAccount } from "../../../../src/transport/ssh/account.ts";
import { resolveAddress } from "../../../../src/transport/ssh/address.ts";
import { testWith } from "../../../support/requires.ts";
import { type TempDir, tempDir } from "../../../support/temp_dir.ts";

function furnish(home: string, ...files: string[]): string {
  Deno.mkdirSync(`${home}/.ssh`, { recursive: true });
  for (const file of files) Deno.writeTextFileSync(`${home}/.ssh/${file}`, "", { mode: 0o600 });
  return home;
}

function homes(dir: TempDir) {
  const [account, named] = [`${dir.path}/account`, `${dir.path}/named`];
  for (const folder of [account, named]) Deno.mkdirSync(folder);
  const homeOf = (env: Record<string, string>) =>
    sshHomeOf({ env, account: { name: "ml", home: account } });
  return { account, named, homeOf };
}

Deno.test("sshHomeOf() is the account's home, as for ssh, whatever $HOME says", () => {
  using dir = tempDir();
  const { account, named, homeOf } = homes(dir);
  assert.equal(homeOf({ HOME: named }).path, account);
  furnish(named, "config", "id_ed25519");
  furnish(account, "id_rsa");
  assert.deepEqual(homeOf({ HOME: named }), { path: account, insteadOf: undefined });
  assert.equal(homeOf({}).path, account);
});

Deno.test("sshHomeOf() is $HOME where only that holds keys or a configuration", () => {
  using dir = tempDir();
  const { account, named, homeOf } = homes(dir);
  furnish(account, "known_hosts");
  furnish(named, "known_hosts");
  assert.equal(homeOf({ HOME: named }).path, account, "neither holds any");
  furnish(named, "id_ed25519");
  assert.deepEqual(homeOf({ HOME: named }), { path: named, insteadOf: account });
});

Deno.test("sshHomeOf() takes $HOME for a uid without an entry in the passwd database", () => {
  const account = { name: undefined, home: undefined };
  assert.equal(sshHomeOf({ env: { HOME: "/work" }, account }).path, "/work");
  assert.equal(sshHomeOf({ env: {}, account }).path, "/");
});

testWith(
  ["sshd"],
  "a home that ssh does not look into gives configuration, keys and hosts",
  async () => {
    using dir = tempDir();
    const { account, named } = homes(dir);
    furnish(named, "id_ed25519");
    Deno.mkdirSync(`${named}/.ssh/conf.d`);
    Deno.writeTextFileSync(`${named}/.ssh/config`, "Include conf.d/*\n", { mode: 0o600 });
    Deno.writeTextFileSync(
      `${named}/.ssh/conf.d/fleet`,
      "Host gpu1\n  HostName 10.0.0.7\nHost gpu2\n  IdentityFile ~/fleet\n",
      { mode: 0o600 },
    );
    const resolve = (name: string) =>
      resolveAddress({ ...ENDPOINT, name }, {
        env: { HOME: named, PATH: Deno.env.get("PATH") ?? "" },
        account: { name: "ml", home: account },
      });
    const gpu1 = await resolve("gpu1");
    assert.equal(gpu1.host, "10.0.0.7");
    assert.equal(gpu1.knownHostsFiles[0], `${named}/.ssh/known_hosts`);
    const gpu2 = await resolve("gpu2");
    assert.ok(gpu2.identityFiles.includes(`${named}/fleet`), gpu2.identityFiles.join());
  },
);

Deno.test("a uid without a name needs no passwd entry where the cluster says as whom", async () => {
  using dir = tempDir();
  const options = {
    env: { HOME: dir.path, PATH: "/nonexistent" },
    account: { name: undefined, home: undefined },
  };
  const named = { ...ENDPOINT, user: "ml", keyFile: "/keys/id", knownHosts: "/keys/hosts" };
  const address = await resolveAddress(named, options);
  assert.deepEqual([address.user, address.identityFiles], ["ml", ["/keys/id"]]);
  await assert.rejects(resolveAddress(ENDPOINT, options), /nobody says as whom/);
});

Deno.test("thisAccount() is an account of this machine", () => {
  assert.ok(thisAccount().home);
});

const ENDPOINT = {
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
} as const;
