import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { generateKeyPairSync } from "node:crypto";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { kindOf, readIdentity } from "../../../../src/transport/ssh/identity.ts";
import { tempDir } from "../../../support/temp_dir.ts";

const KINDS = {
  "sk-ssh-ed25519@openssh.com": "a FIDO key",
  "sk-ecdsa-sha2-nistp256@openssh.com": "a FIDO key",
  "ssh-mldsa-44": "an ML-DSA key",
  "ssh-mldsa44-ed25519@openssh.com": "an ML-DSA key",
  "ssh-ed25519-cert-v01@openssh.com": "a certificate",
  "x-new@example.com": "a key of the kind x-new@example.com",
};

const field = (text: string): Buffer => {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(Buffer.byteLength(text));
  return Buffer.concat([length, Buffer.from(text)]);
};

/** As `ssh-keygen` writes it (PROTOCOL.key), as far as the kind of the key. */
function privateKey(type: string): string {
  const count = Buffer.from([0, 0, 0, 1]);
  const key = field(`${field(type).toString("latin1")}`);
  const body = Buffer.concat([
    Buffer.from("openssh-key-v1\0"),
    field("none"),
    field("none"),
    field(""),
    count,
    key,
    field("nothing of use"),
  ]);
  const lines = body.toString("base64").match(/.{1,70}/g) ?? [];
  const frame = (word: string) => `-----${word} OPENSSH PRIVATE KEY-----`;
  return [frame("BEGIN"), ...lines, frame("END"), ""].join("\n");
}

Deno.test("kindOf() has a word for the keys that only ssh itself can use", () => {
  for (const [type, kind] of Object.entries(KINDS)) assert.equal(kindOf(type), kind);
});

for (const [type, kind] of Object.entries(KINDS)) {
  Deno.test(`readIdentity() leaves a ${type} to ssh, by name`, () => {
    using dir = tempDir();
    const path = join(dir.path, "key");
    Deno.writeTextFileSync(path, privateKey(type), { mode: 0o600 });
    const { key, problem, beyond } = readIdentity(path);
    assert.equal(key, undefined);
    assert.equal(problem?.state, `${path} is ${kind}, which only ssh itself can use`);
    assert.match(problem?.hint ?? "", /ssh-add .*; or set transport: openssh/);
    assert.deepEqual(beyond, [`the key ${path}`]);
  });
}

Deno.test("readIdentity(): reads a file again once it has changed, and not before", () => {
  using dir = tempDir();
  const path = join(dir.path, "id");
  const make = (comment: string) => {
    for (const file of [path, `${path}.pub`]) rmSync(file, { force: true });
    const pair = generateKeyPairSync("rsa", { modulusLength: 1024 });
    const pem = pair.privateKey.export({ type: "pkcs1", format: "pem" });
    Deno.writeTextFileSync(path, `${pem}${comment}`, { mode: 0o600 });
  };
  make("");
  const first = readIdentity(path);
  assert.ok(first.key);
  assert.equal(readIdentity(path), first);
  Deno.chmodSync(path, 0o644);
  assert.match(readIdentity(path).problem?.state ?? "", /can be read by others/);
  make("\n");
  assert.notDeepEqual(readIdentity(path).key?.getPublicSSH(), first.key.getPublicSSH());
});
