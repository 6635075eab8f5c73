/**
 * Pins what this Deno and ssh2 can do against OpenSSH, one algorithm allowed at a time; what they
 * cannot do must end in a clear `kex` error, never in a hang or a wrong byte.
 */
import assert from "node:assert/strict";
import { createPool } from "../../../src/transport/pool.ts";
import { startOpenSsh } from "../../support/openssh.ts";
import { testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { isGridError } from "../../support/transport_contract.ts";

const KEX = {
  works: [
    "curve25519-sha256",
    "curve25519-sha256@libssh.org",
    "ecdh-sha2-nistp256",
    "ecdh-sha2-nistp384",
    "diffie-hellman-group-exchange-sha256",
    "diffie-hellman-group14-sha256",
    "diffie-hellman-group16-sha512",
  ],
  fails: [
    "sntrup761x25519-sha512@openssh.com",
    "ecdh-sha2-nistp521",
    "diffie-hellman-group14-sha1",
  ],
};

const CIPHERS = {
  works: [
    "chacha20-poly1305@openssh.com",
    "aes128-gcm@openssh.com",
    "aes256-gcm@openssh.com",
    "aes128-ctr",
    "aes192-ctr",
    "aes256-ctr",
  ],
  fails: ["aes256-cbc", "3des-cbc"],
};

const MACS = {
  works: [
    "hmac-sha2-256-etm@openssh.com",
    "hmac-sha2-512-etm@openssh.com",
    "hmac-sha2-256",
    "hmac-sha2-512",
  ],
  fails: ["umac-128-etm@openssh.com", "hmac-sha1"],
};

const HOST_KEYS: Readonly<Record<string, readonly string[]>> = {
  "ecdsa-sha2-nistp256": ["-t", "ecdsa", "-b", "256"],
  "ecdsa-sha2-nistp384": ["-t", "ecdsa", "-b", "384"],
  "ecdsa-sha2-nistp521": ["-t", "ecdsa", "-b", "521"],
  "rsa-sha2-512": ["-t", "rsa", "-b", "2048"],
  "rsa-sha2-256": ["-t", "rsa", "-b", "2048"],
};

for (const name of KEX.works) works(`key exchange ${name}`, [`KexAlgorithms ${name}`]);
for (const name of KEX.fails) fails(`key exchange ${name}`, [`KexAlgorithms ${name}`]);
for (const name of CIPHERS.works) works(`cipher ${name}`, [`Ciphers ${name}`]);
for (const name of CIPHERS.fails) fails(`cipher ${name}`, [`Ciphers ${name}`]);
for (const name of MACS.works) works(`MAC ${name}`, ["Ciphers aes128-ctr", `MACs ${name}`]);
for (const name of MACS.fails) fails(`MAC ${name}`, ["Ciphers aes128-ctr", `MACs ${name}`]);

for (const [algorithm, args] of Object.entries(HOST_KEYS)) {
  algorithmTest(`host key ${algorithm} is verified`, async () => {
    using dir = tempDir();
    const keyFile = `${dir.path}/host_key`;
    new Deno.Command("ssh-keygen", { args: ["-q", ...args, "-N", "", "-f", keyFile] }).outputSync();
    const [type, key] = Deno.readTextFileSync(`${keyFile}.pub`).split(" ");
    await using lab = await startOpenSsh({
      nodes: 1,
      sshdConfig: [`HostKey ${keyFile}`, `HostKeyAlgorithms ${algorithm}`],
    });
    await using pool = createPool({ handshakes: 1 });
    const [node] = lab.nodes;
    assert.ok(node);
    // Only the lab's own key is known.
    await assert.rejects(pool.transport(node.endpoint).exec("true"), isGridError("host-key"));
    const knownHosts = `${dir.path}/known_hosts`;
    Deno.writeTextFileSync(knownHosts, `[${node.host}]:${node.port} ${type} ${key}\n`);
    await exchange({ ...node.endpoint, knownHosts });
  });
}

function works(what: string, sshdConfig: readonly string[]): void {
  algorithmTest(`${what} carries bytes both ways`, async () => {
    await using lab = await startOpenSsh({ nodes: 1, sshdConfig });
    const [node] = lab.nodes;
    assert.ok(node);
    await exchange(node.endpoint);
  });
}

function fails(what: string, sshdConfig: readonly string[]): void {
  algorithmTest(`${what} ends in a clear error`, async () => {
    await using lab = await startOpenSsh({ nodes: 1, sshdConfig });
    // Else the ssh program would be asked, which may agree with it.
    await using pool = createPool({ handshakes: 1, env: { PATH: "/nonexistent" } });
    const [node] = lab.nodes;
    assert.ok(node);
    await assert.rejects(pool.transport(node.endpoint).exec("true"), (error) => {
      isGridError("algorithm")(error);
      assert.match(String(error), /no matching .*; there is no ssh here/);
      return true;
    });
  });
}

/** Enough bytes for many packets of every size, and one rekey would be noticed too. */
async function exchange(endpoint: Parameters<ReturnType<typeof createPool>["transport"]>[0]) {
  await using pool = createPool({ handshakes: 1 });
  const sent = crypto.getRandomValues(new Uint8Array(65_536));
  await using channel = await pool.transport(endpoint).open("cat");
  const writer = channel.stdin.getWriter();
  const writing = (async () => {
    for (let at = 0, size = 1; at < sent.length; at += size, size = size * 2 % 4093 + 1) {
      await writer.write(sent.slice(at, at + size));
    }
    await writer.close();
  })();
  assert.deepEqual(await new Response(channel.stdout).bytes(), sent);
  await writing;
}

/** Deno keeps the native half of AES-CTR ciphers, which ssh2 never ends: two for each connection. */
function algorithmTest(title: string, fn: () => Promise<void>): void {
  testWith(["sshd"], title, fn, { sanitizeResources: false });
}
