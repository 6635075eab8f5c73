/** Strangers are refused before a word about any user; friends are made with `grid trust`. */
import assert from "node:assert/strict";
import { createPool } from "../../../src/transport/pool.ts";
import { checkFingerprints, parseFingerprints } from "../../../src/transport/ssh/fingerprints.ts";
import { scanHostKeys, trustKeys } from "../../../src/transport/ssh/trust.ts";
import type { Endpoint } from "../../../src/transport/transport.ts";
import { startOpenSsh } from "../../support/openssh.ts";
import { testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { isGridError } from "../../support/transport_contract.ts";

const SCAN = { handshakes: 10, env: {} };

async function refusalOf(endpoint: Endpoint): Promise<Error> {
  await using pool = createPool({ handshakes: 10 });
  const transport = pool.transport(endpoint);
  const problem = await transport.exec("true").then(() => undefined, (error) => error);
  isGridError("host-key")(problem);
  // Not tried again.
  await assert.rejects(transport.exec("true"), problem);
  return problem;
}

testWith(
  ["sshd"],
  "an unknown, a changed and a revoked host key are refused before any login",
  async () => {
    await using lab = await startOpenSsh({ nodes: 2 });
    using dir = tempDir();
    const [node, other] = lab.nodes;
    assert.ok(node && other);
    const lines = Deno.readTextFileSync(lab.knownHosts).trim().split("\n").map((line) =>
      line.split(" ")
    );
    const [[name, type, key] = [], [, , otherKey] = []] = lines;
    const cases = {
      unknown: "",
      changed: `${name} ${type} ${otherKey}\n`,
      revoked: `@revoked * ${type} ${key}\n${name} ${type} ${key}\n`,
    };
    for (const [kind, text] of Object.entries(cases)) {
      const knownHosts = `${dir.path}/${kind}`;
      Deno.writeTextFileSync(knownHosts, text);
      const problem = await refusalOf({ ...node.endpoint, knownHosts });
      assert.match(problem.message, /SHA256:\S{43}/);
      if (kind === "changed") assert.equal(problem.message.match(/SHA256:/g)?.length, 2);
      assert.equal(Deno.readTextFileSync(knownHosts), text, "the file is never rewritten");
    }
    assert.match(node.readLog(), /Connection from/);
    assert.doesNotMatch(node.readLog(), /Accepted|Failed|authenticating user|userauth|Postponed/);
    const connections = node.readLog().match(/Connection from/g)?.length;
    assert.equal(connections, 3, "one connection for each refusal, no retry");
  },
);

testWith(["sshd"], "a refused node does not hold up the others", async () => {
  await using lab = await startOpenSsh({ nodes: 2 });
  using dir = tempDir();
  const [bad, good] = lab.nodes;
  assert.ok(bad && good);
  await using pool = createPool({ handshakes: 1 });
  const knownHosts = `${dir.path}/empty`;
  Deno.writeTextFileSync(knownHosts, "");
  const [refused, worked] = await Promise.allSettled([
    pool.transport({ ...bad.endpoint, knownHosts }).exec("true"),
    pool.transport(good.endpoint).exec("echo here"),
  ]);
  assert.equal(refused.status, "rejected");
  assert.equal(worked.status === "fulfilled" && worked.value.stdout, "here\n");
});

testWith(["sshd"], "scanHostKeys() and trustKeys() make nodes known, without a login", async () => {
  await using lab = await startOpenSsh({ nodes: 3 });
  using dir = tempDir();
  const knownHosts = `${dir.path}/new/known_hosts`;
  const endpoints = lab.nodes.map((node) => ({ ...node.endpoint, knownHosts }));
  const scans = await scanHostKeys(endpoints, SCAN);
  for (const [index, scan] of scans.entries()) {
    assert.equal(scan.problem, undefined);
    assert.deepEqual(scan.keys.map(({ kind, state }) => [kind, state]), [["ED25519", "unknown"]]);
    assert.equal(scan.keys[0]?.fingerprint, fingerprintOf(lab.nodes[index]?.hostKeyFile ?? ""));
  }
  trustKeys(scans);
  assert.equal((Deno.statSync(knownHosts).mode ?? 0) & 0o777, 0o600);
  for (const node of lab.nodes) {
    assert.doesNotMatch(node.readLog(), /Accepted|Failed|authenticating user/);
  }
  await using pool = createPool({ handshakes: 10 });
  for (const endpoint of endpoints) await pool.transport(endpoint).exec("true");
  const again = await scanHostKeys(endpoints, SCAN);
  assert.ok(again.every(({ keys }) => keys.every(({ state }) => state === "trusted")));
  const before = Deno.readTextFileSync(knownHosts);
  trustKeys(again);
  assert.equal(Deno.readTextFileSync(knownHosts), before);
});

testWith(
  ["sshd"],
  "trustKeys() keeps every line that is there, also one without its newline",
  async () => {
    await using lab = await startOpenSsh({ nodes: 1 });
    using dir = tempDir();
    const knownHosts = `${dir.path}/known_hosts`;
    Deno.writeTextFileSync(knownHosts, "# mine");
    const [node] = lab.nodes;
    assert.ok(node);
    trustKeys(await scanHostKeys([{ ...node.endpoint, knownHosts }], SCAN));
    assert.match(Deno.readTextFileSync(knownHosts), /^# mine\n\S+ ssh-ed25519 \S+\n$/);
  },
);

testWith(["sshd"], "ssh itself accepts what trustKeys() wrote", async () => {
  await using lab = await startOpenSsh({ nodes: 1 });
  using dir = tempDir();
  const knownHosts = `${dir.path}/known_hosts`;
  const [node] = lab.nodes;
  assert.ok(node);
  trustKeys(await scanHostKeys([{ ...node.endpoint, knownHosts }], SCAN));
  const { success, stderr } = await new Deno.Command("ssh", {
    args: [
      ...[
        "-F",
        "none",
        "-o",
        `UserKnownHostsFile=${knownHosts}`,
        "-o",
        "StrictHostKeyChecking=yes",
      ],
      ...["-o", "BatchMode=yes", "-i", lab.keyFile, "-p", String(node.port), node.host, "true"],
    ],
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
});

testWith(["sshd"], "a list of fingerprints lets through only the keys it names", async () => {
  await using lab = await startOpenSsh({ nodes: 2 });
  using dir = tempDir();
  const knownHosts = `${dir.path}/known_hosts`;
  const [first, second] = lab.nodes;
  assert.ok(first && second);
  const print = fingerprintOf(first.hostKeyFile);
  const list = parseFingerprints(`${first.name} ${print}\n${second.name} ${print}\n`, "list");
  const endpoints = lab.nodes.map((node) => ({ ...node.endpoint, knownHosts }));
  const checked = checkFingerprints(await scanHostKeys(endpoints, SCAN), list);
  assert.deepEqual(checked.map(({ refused }) => refused.length), [0, 1]);
  trustKeys(checked.map(({ scan }) => scan));
  await using pool = createPool({ handshakes: 10 });
  const [one, two] = endpoints;
  assert.ok(one && two);
  await pool.transport(one).exec("true");
  await assert.rejects(pool.transport(two).exec("true"), isGridError("host-key"));
});

testWith(["sshd"], "scanHostKeys() says which node cannot be reached, and goes on", async () => {
  await using lab = await startOpenSsh({ nodes: 2 });
  const [down, up] = lab.nodes;
  assert.ok(down && up);
  await down.stop();
  const [first, second] = await scanHostKeys([down.endpoint, up.endpoint], SCAN);
  assert.equal(first?.problem?.code, "tcp");
  assert.equal(second?.keys[0]?.state, "trusted");
});

function fingerprintOf(keyFile: string): string {
  const { stdout } = new Deno.Command("ssh-keygen", { args: ["-l", "-f", `${keyFile}.pub`] })
    .outputSync();
  return new TextDecoder().decode(stdout).split(" ")[1] ?? "";
}
