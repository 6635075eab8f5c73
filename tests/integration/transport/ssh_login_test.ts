/** Which keys open the door, and what is said when none does. */
import assert from "node:assert/strict";
import { createPool } from "../../../src/transport/pool.ts";
import type { Endpoint } from "../../../src/transport/transport.ts";
import { type OpenSshNode, startOpenSsh } from "../../support/openssh.ts";
import { startAgent } from "../../support/agent.ts";
import { testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { isGridError } from "../../support/transport_contract.ts";

function makeKey(path: string, type: string, passphrase = ""): string {
  run("ssh-keygen", ["-q", "-t", type, "-N", passphrase, "-C", type, "-f", path]);
  return path;
}

function run(program: string, args: readonly string[], env: Record<string, string> = {}): string {
  const { success, stdout, stderr } = new Deno.Command(program, { args: [...args], env })
    .outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

async function login(endpoint: Endpoint, env: Record<string, string> = {}): Promise<void> {
  await using pool = createPool({
    handshakes: 1,
    env: { HOME: "/nonexistent", PATH: "/nonexistent", ...env },
  });
  assert.equal((await pool.transport(endpoint).exec("echo in")).stdout, "in\n");
}

function allow(node: OpenSshNode, lab: { readonly keyFile: string }, key: string): Endpoint {
  Deno.writeTextFileSync(`${lab.keyFile}.pub`, Deno.readTextFileSync(`${key}.pub`), {
    append: true,
  });
  return { ...node.endpoint, keyFile: key };
}

for (const type of ["ed25519", "rsa"]) {
  testWith(["sshd"], `an ${type} key file logs in`, async () => {
    await using lab = await startOpenSsh({ nodes: 1 });
    using dir = tempDir();
    const [node] = lab.nodes;
    assert.ok(node);
    await login(allow(node, lab, makeKey(`${dir.path}/key`, type)));
  });
}

testWith(["sshd"], "the server looks for an ed25519 key once, and for others twice", async () => {
  await using lab = await startOpenSsh({ nodes: 2 });
  using dir = tempDir();
  const looks = lab.nodes.map(async (node, index) => {
    const type = index === 0 ? "ed25519" : "rsa";
    await login(allow(node, lab, makeKey(`${dir.path}/${type}`, type)));
    return node.readLog().match(/Accepted key /g)?.length;
  });
  assert.deepEqual(await Promise.all(looks), [1, 2]);
});

for (const type of ["ed25519", "rsa", "ecdsa"]) {
  testWith(
    ["sshd"],
    `an ${type} key in the agent logs in, also where its file needs a passphrase`,
    async () => {
      await using lab = await startOpenSsh({ nodes: 1 });
      using dir = tempDir();
      using agent = startAgent(dir.path);
      const [node] = lab.nodes;
      assert.ok(node);
      const key = makeKey(`${dir.path}/key`, type);
      agent.add(key);
      run("ssh-keygen", ["-q", "-p", "-P", "", "-N", "secret", "-f", key]);
      const endpoint = allow(node, lab, key);
      await login(endpoint, { SSH_AUTH_SOCK: agent.socket });
      assert.equal(node.readLog().match(/Failed publickey/g), null, "one attempt, the right one");
    },
  );
}

testWith(["sshd"], "a key the server does not know is offered once, and named", async () => {
  await using lab = await startOpenSsh({ nodes: 1 });
  using dir = tempDir();
  const [node] = lab.nodes;
  assert.ok(node);
  const key = makeKey(`${dir.path}/key`, "ed25519");
  await using pool = createPool({ handshakes: 1, env: {} });
  const transport = pool.transport({ ...node.endpoint, keyFile: key });
  for (let round = 0; round < 5; round++) {
    await assert.rejects(transport.exec("true"), (error) => {
      isGridError("auth")(error);
      assert.match(String(error), new RegExp(`the server refused ${key} \\(SHA256:`));
      assert.match((error as { hint: string }).hint, /ssh-copy-id/);
      return true;
    });
  }
  assert.equal(node.readLog().match(/Failed publickey/g)?.length, 1);
});

testWith(
  ["sshd"],
  "keys that cannot be used are named with what to do, and nothing is tried",
  async () => {
    await using lab = await startOpenSsh({ nodes: 1 });
    using dir = tempDir();
    const [node] = lab.nodes;
    assert.ok(node);
    const open = makeKey(`${dir.path}/open`, "ed25519");
    Deno.chmodSync(open, 0o644);
    const text = `${dir.path}/text`;
    Deno.writeTextFileSync(text, "not a key", { mode: 0o600 });
    const cases: [string, RegExp, RegExp][] = [
      [makeKey(`${dir.path}/locked`, "ed25519", "secret"), /needs a passphrase/, /ssh-add/],
      [makeKey(`${dir.path}/ecdsa`, "ecdsa"), /ECDSA key, which only ssh-agent can use/, /OpenSSH/],
      [open, /can be read by others/, /chmod 600/],
      [text, /is not a private key/, /OpenSSH/],
      [`${dir.path}/missing`, /does not exist/, /key_file/],
    ];
    for (const [keyFile, message, hint] of cases) {
      await assert.rejects(login({ ...node.endpoint, keyFile }), (error) => {
        isGridError("auth")(error);
        assert.match(String(error), message);
        assert.match((error as { hint: string }).hint, hint);
        return true;
      });
    }
    assert.doesNotMatch(node.readLog(), /Failed publickey|Accepted/);
  },
);

testWith(["sshd"], "an agent full of other keys does not use up the attempts", async () => {
  await using lab = await startOpenSsh({ nodes: 1, sshdConfig: ["MaxAuthTries 3"] });
  using dir = tempDir();
  using agent = startAgent(dir.path);
  const [node] = lab.nodes;
  assert.ok(node);
  for (let index = 0; index < 8; index++) {
    agent.add(makeKey(`${dir.path}/other${index}`, "ed25519"));
  }
  await login(node.endpoint, { SSH_AUTH_SOCK: agent.socket });
});

testWith(["sshd"], "a dead agent is named only where no key works", async () => {
  await using lab = await startOpenSsh({ nodes: 1 });
  const [node] = lab.nodes;
  assert.ok(node);
  const env = { SSH_AUTH_SOCK: `${lab.folder}/no-agent.sock` };
  await login(node.endpoint, env);
  await assert.rejects(
    login({ ...node.endpoint, keyFile: `${lab.folder}/missing` }, env),
    /the agent at .* cannot be asked/,
  );
});

testWith(["sshd"], "the agent is never forwarded", async () => {
  await using lab = await startOpenSsh({ nodes: 1 });
  using dir = tempDir();
  using agent = startAgent(dir.path);
  const [node] = lab.nodes;
  assert.ok(node);
  await using pool = createPool({ handshakes: 1, env: { SSH_AUTH_SOCK: agent.socket } });
  const { stdout } = await pool.transport(node.endpoint).exec('echo "[${SSH_AUTH_SOCK-}]"');
  assert.equal(stdout, "[]\n");
});
