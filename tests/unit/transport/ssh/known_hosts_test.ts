import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import {
  hostEntry,
  matchesHost,
  parseKnownHosts,
  readKnownHosts,
} from "../../../../src/transport/ssh/known_hosts.ts";
import { testWith } from "../../../support/requires.ts";
import { tempDir } from "../../../support/temp_dir.ts";

/** A key in wire format: its type, then anything. */
function wireKey(type: string, fill = 7): string {
  const name = Buffer.from(type);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(name.length);
  return Buffer.concat([length, name, Buffer.alloc(32, fill)]).toString("base64");
}

const KEY = wireKey("ssh-ed25519");

Deno.test("parseKnownHosts() reads plain lines, markers and several hosts, and keeps line numbers", () => {
  const text = [
    "# a comment",
    "",
    `gpu1,10.0.0.7 ssh-ed25519 ${KEY} a comment`,
    `@revoked * ssh-ed25519 ${KEY}`,
    `@cert-authority *.lab.example ssh-ed25519 ${KEY}`,
    `  [gpu2]:2222\tssh-ed25519\t${KEY}`,
  ].join("\n");
  const lines = parseKnownHosts(text, "kh").map(({ line, marker, hosts }) => ({
    line,
    marker,
    hosts,
  }));
  assert.deepEqual(lines, [
    { line: 3, marker: "key", hosts: ["gpu1", "10.0.0.7"] },
    { line: 4, marker: "revoked", hosts: ["*"] },
    { line: 5, marker: "cert-authority", hosts: ["*.lab.example"] },
    { line: 6, marker: "key", hosts: ["[gpu2]:2222"] },
  ]);
});

Deno.test("parseKnownHosts() passes over lines whose key is broken or of another type", () => {
  const text = [
    "gpu1 ssh-ed25519 not-base64",
    `gpu1 ssh-rsa ${KEY}`,
    "gpu1 ssh-ed25519",
    `@unknown gpu1 ssh-ed25519 ${KEY}`,
    `gpu1 ssh-ed25519 ${KEY}`,
  ].join("\r\n");
  assert.deepEqual(parseKnownHosts(text, "kh").map(({ line }) => line), [5]);
});

Deno.test("parseKnownHosts() survives any text", () => {
  fc.assert(fc.property(fc.string(), (text) => void parseKnownHosts(text, "kh")));
});

Deno.test("matchesHost() knows wildcards, negation and ports", () => {
  const cases: [string, string, boolean][] = [
    ["gpu1", "gpu1", true],
    ["GPU1", "gpu1", true],
    ["gpu1", "gpu10", false],
    ["gpu?", "gpu1", true],
    ["gpu?", "gpu", false],
    ["*.lab", "a.b.lab", true],
    ["*,!gpu2", "gpu1", true],
    ["*,!gpu2", "gpu2", false],
    ["!gpu2", "gpu1", false],
    ["!gpu2,*", "gpu2", false],
    ["[gpu1]:2222", "[gpu1]:2222", true],
    ["[gpu1]:2222", "gpu1", false],
    ["[gpu*]:*", "[gpu1]:2222", true],
    ["a.b", "axb", false],
    ["10.0.0.*", "10.0.0.7", true],
  ];
  for (const [patterns, name, expected] of cases) {
    assert.equal(matchesHost(patterns.split(","), name), expected, `${patterns} ~ ${name}`);
  }
});

Deno.test("hostEntry() names the port unless it is 22", () => {
  assert.equal(hostEntry("GPU1", 22), "gpu1");
  assert.equal(hostEntry("GPU1", 2222), "[gpu1]:2222");
  assert.equal(hostEntry("::1", 2222), "[::1]:2222");
});

testWith(["sshd"], "matchesHost() reads what ssh-keygen -H has hashed", () => {
  using dir = tempDir();
  const file = `${dir.path}/known_hosts`;
  Deno.writeTextFileSync(file, `gpu1 ssh-ed25519 ${KEY}\n[gpu2]:2222 ssh-ed25519 ${KEY}\n`);
  const { success } = new Deno.Command("ssh-keygen", { args: ["-H", "-f", file] }).outputSync();
  assert.ok(success);
  const [first, second] = parseKnownHosts(Deno.readTextFileSync(file), file);
  assert.ok(first && second);
  assert.match(first.hosts[0] ?? "", /^\|1\|/);
  assert.equal(matchesHost(first.hosts, "gpu1"), true);
  assert.equal(matchesHost(first.hosts, "gpu2"), false);
  assert.equal(matchesHost(second.hosts, "[gpu2]:2222"), true);
});

Deno.test("readKnownHosts() reads all files that exist, and notices changes", () => {
  using dir = tempDir();
  const [a, b] = [`${dir.path}/a`, `${dir.path}/b`];
  Deno.writeTextFileSync(b, `gpu1 ssh-ed25519 ${KEY}\n`);
  assert.equal(readKnownHosts([a, b]).length, 1);
  Deno.writeTextFileSync(a, `gpu2 ssh-ed25519 ${KEY}\ngpu3 ssh-ed25519 ${KEY}\n`);
  assert.deepEqual(readKnownHosts([a, b]).map(({ file, line }) => [file, line]), [
    [a, 1],
    [a, 2],
    [b, 1],
  ]);
  Deno.writeTextFileSync(a, "");
  assert.equal(readKnownHosts([a, b]).length, 1);
});
