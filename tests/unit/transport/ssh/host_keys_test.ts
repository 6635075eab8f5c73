import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import type { Address } from "../../../../src/transport/ssh/address.ts";
import {
  fingerprint,
  hostKeyError,
  judge,
  orderHostKeyAlgorithms,
  readTrust,
} from "../../../../src/transport/ssh/host_keys.ts";
import { testWith } from "../../../support/requires.ts";
import { tempDir } from "../../../support/temp_dir.ts";

function wireKey(type: string, fill: number): Uint8Array {
  const name = Buffer.from(type);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(name.length);
  return new Uint8Array(Buffer.concat([length, name, Buffer.alloc(32, fill)]));
}

const ED = wireKey("ssh-ed25519", 1);
const OTHER_ED = wireKey("ssh-ed25519", 2);
const RSA = wireKey("ssh-rsa", 3);

function line(hosts: string, key: Uint8Array): string {
  const type = key === RSA ? "ssh-rsa" : "ssh-ed25519";
  return `${hosts} ${type} ${key.toBase64()}\n`;
}

function judgeWith(
  text: string,
  key: Uint8Array,
  change: Partial<Address> = {},
): { kind: string; message: string | undefined; hint: string | undefined } {
  using dir = tempDir();
  const file = `${dir.path}/known_hosts`;
  Deno.writeTextFileSync(file, text);
  const address = addressOf({ knownHostsFiles: [file], ...change });
  const verdict = judge(readTrust(address), key);
  const error = hostKeyError(verdict, { address, key });
  return {
    kind: verdict.kind,
    message: error?.message.replaceAll(dir.path, "DIR"),
    hint: error?.hint?.replaceAll(dir.path, "DIR"),
  };
}

function addressOf(change: Partial<Address>): Address {
  return {
    node: "gpu1",
    alias: "gpu1",
    host: "10.0.0.7",
    port: 22,
    user: "ml",
    family: undefined,
    hostKeyAlias: undefined,
    knownHostsFiles: [],
    hashKnownHosts: false,
    identityFiles: [],
    identitiesChosen: false,
    identitiesOnly: false,
    certificateFiles: [],
    agentSocket: undefined,
    jumps: [],
    beyond: [],
    otherLogins: [],
    ...change,
  };
}

Deno.test("judge() trusts a key that the file holds for the host", () => {
  assert.equal(judgeWith(line("10.0.0.7", ED), ED).kind, "trusted");
  assert.equal(judgeWith(line("10.0.0.*,!10.0.0.8", ED), ED).kind, "trusted");
  assert.equal(judgeWith(line("10.0.0.7", RSA) + line("10.0.0.7", ED), ED).kind, "trusted");
  assert.equal(judgeWith(line("10.0.0.7", OTHER_ED) + line("10.0.0.7", ED), ED).kind, "trusted");
});

Deno.test("judge() calls a key of the same type that is not in the file changed, and shows both", () => {
  const { kind, message, hint } = judgeWith(line("10.0.0.7", OTHER_ED), ED);
  assert.equal(kind, "changed");
  assert.equal(
    message,
    `Cannot trust "gpu1" (10.0.0.7 port 22): its host key changed: expected ` +
      `${fingerprint(OTHER_ED)} (DIR/known_hosts:1), it showed ED25519 ${fingerprint(ED)}`,
  );
  assert.match(hint ?? "", /ssh-keygen -R '10\.0\.0\.7' -f DIR\/known_hosts && grid trust gpu1/);
});

Deno.test("judge() calls a host unknown that the file does not name, or only with another type", () => {
  for (const text of ["", line("10.0.0.8", ED), line("10.0.0.7", RSA)]) {
    const { kind, message, hint } = judgeWith(text, ED);
    assert.equal(kind, "unknown");
    assert.ok(message?.includes(fingerprint(ED)));
    assert.match(hint ?? "", /grid trust gpu1/);
  }
});

Deno.test("judge() refuses a revoked key even where the file also holds it", () => {
  const { kind, message } = judgeWith(line("@revoked *", ED) + line("10.0.0.7", ED), ED);
  assert.equal(kind, "revoked");
  assert.match(message ?? "", /revoked in DIR\/known_hosts:1/);
  assert.equal(judgeWith(line("@revoked gpu9", ED) + line("10.0.0.7", ED), ED).kind, "trusted");
});

Deno.test("judge() never takes a certificate authority's key for a host's own", () => {
  const { kind, message } = judgeWith(line("@cert-authority *", ED), ED);
  assert.equal(kind, "unknown");
  assert.match(message ?? "", /trusts it by certificate, which only ssh itself can check/);
});

Deno.test("judge() looks for [host]:port, accepts the plain name too, but never holds it against a host", () => {
  const at2222 = { port: 2222 };
  assert.equal(judgeWith(line("[10.0.0.7]:2222", ED), ED, at2222).kind, "trusted");
  assert.equal(judgeWith(line("10.0.0.7", ED), ED, at2222).kind, "trusted");
  assert.equal(judgeWith(line("10.0.0.7", OTHER_ED), ED, at2222).kind, "unknown");
  assert.equal(
    judgeWith(line("[10.0.0.7]:2222", OTHER_ED) + line("10.0.0.7", ED), ED, at2222).kind,
    "changed",
  );
});

Deno.test("judge() looks only for HostKeyAlias where one is set", () => {
  const alias = { hostKeyAlias: "fleet" };
  assert.equal(judgeWith(line("fleet", ED), ED, alias).kind, "trusted");
  assert.equal(judgeWith(line("10.0.0.7", ED), ED, alias).kind, "unknown");
});

Deno.test("orderHostKeyAlgorithms() asks first for the types that known_hosts holds", () => {
  using dir = tempDir();
  const file = `${dir.path}/known_hosts`;
  Deno.writeTextFileSync(file, line("10.0.0.7", RSA));
  const trust = readTrust(addressOf({ knownHostsFiles: [file] }));
  assert.deepEqual(
    orderHostKeyAlgorithms(["ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512"], trust),
    ["rsa-sha2-512", "ssh-ed25519", "ecdsa-sha2-nistp256"],
  );
});

testWith(["sshd"], "fingerprint() is the one that ssh-keygen -l prints", () => {
  using dir = tempDir();
  const file = `${dir.path}/key`;
  new Deno.Command("ssh-keygen", { args: ["-q", "-t", "ed25519", "-N", "", "-f", file] })
    .outputSync();
  const { stdout } = new Deno.Command("ssh-keygen", { args: ["-l", "-f", file] }).outputSync();
  const [, key] = Deno.readTextFileSync(`${file}.pub`).split(" ");
  assert.ok(
    new TextDecoder().decode(stdout).includes(fingerprint(Uint8Array.fromBase64(key ?? ""))),
  );
});
