import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, project } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { testWith } from "../support/requires.ts";

function fingerprintOf(hostKeyFile: string): string {
  const { stdout } = new Deno.Command("ssh-keygen", { args: ["-l", "-f", hostKeyFile] })
    .outputSync();
  return /SHA256:\S+/.exec(new TextDecoder().decode(stdout))?.[0] ?? "";
}

testWith(
  ["sshd"],
  "grid trust adds keys that a list vouches for, and the node can be used",
  async () => {
    await using lab = await startOpenSsh({ nodes: 2 });
    Deno.writeTextFileSync(lab.knownHosts, "");
    const list = lab.nodes.map((node) => `${node.name} ${fingerprintOf(node.hostKeyFile)}\n`);
    using folder = project({
      "lab.yaml": labConfig({ lab, rayMode: "embedded" }),
      "fingerprints": list.join(""),
    });
    const args = ["--config", "lab.yaml"];
    const trust = await grid(["trust", "--yes", "--fingerprints", "fingerprints", ...args], {
      cwd: folder.path,
    });
    assert.equal(trust.code, 0, trust.stderr);
    assert.match(trust.stderr, /added 2 keys/);
    for (const node of lab.nodes) {
      assert.ok(trust.stderr.includes(fingerprintOf(node.hostKeyFile)), trust.stderr);
      assert.equal(node.acceptedLogins(), 0, "trust must not log in");
    }
    const run = await grid(["run", "echo here", "--node", "node2", ...args], { cwd: folder.path });
    assert.equal(run.stdout, "here\n", run.stderr);
  },
);

testWith(["sshd"], "grid trust refuses keys that the list does not name", async () => {
  await using lab = await startOpenSsh({ nodes: 2 });
  Deno.writeTextFileSync(lab.knownHosts, "");
  const [first, second] = lab.nodes;
  assert.ok(first && second);
  // The right key under the wrong name is the attack that a list of names must stop.
  const list = `${first.name} ${fingerprintOf(second.hostKeyFile)}\n`;
  using folder = project({
    "lab.yaml": labConfig({ lab, rayMode: "embedded" }),
    "fingerprints": list,
  });
  const { code, stderr } = await grid(
    ["trust", "node1", "--yes", "--fingerprints", "fingerprints", "--config", "lab.yaml"],
    { cwd: folder.path },
  );
  assert.equal(code, 3, stderr);
  assert.match(stderr, /does not list the keys/);
  assert.equal(Deno.readTextFileSync(join(lab.folder, "known_hosts")), "");
});

testWith(["sshd"], "grid trust without a terminal adds nothing and says what to do", async () => {
  await using lab = await startOpenSsh({ nodes: 1 });
  Deno.writeTextFileSync(lab.knownHosts, "");
  using folder = project({ "lab.yaml": labConfig({ lab, rayMode: "embedded" }) });
  const { code, stderr } = await grid(["trust", "--config", "lab.yaml"], { cwd: folder.path });
  assert.equal(code, 2, stderr);
  assert.match(stderr, /--yes --fingerprints/);
  assert.equal(Deno.readTextFileSync(lab.knownHosts), "");
});

testWith(
  ["sshd"],
  "grid trust of a node with another key says how to forget the old one, in its own file",
  async () => {
    await using lab = await startOpenSsh({ nodes: 2 });
    const [first, second] = lab.nodes;
    assert.ok(first && second);
    const before = Deno.readTextFileSync(lab.knownHosts);
    const key = (file: string) => Deno.readTextFileSync(`${file}.pub`).split(" ")[1] ?? "";
    Deno.writeTextFileSync(
      lab.knownHosts,
      before.replace(key(first.hostKeyFile), key(second.hostKeyFile)),
    );
    using folder = project({ "lab.yaml": labConfig({ lab, rayMode: "embedded" }) });
    const cwd = folder.path;
    const { code, stderr } = await grid(["trust", "node1", "--config", "lab.yaml"], { cwd });
    assert.equal(code, 3, stderr);
    const [, command = ""] = /if they were set up anew: (ssh-keygen .+) && grid trust node1$/m
      .exec(stderr) ?? [];
    const forgot = new Deno.Command("sh", { args: ["-c", command] }).outputSync();
    assert.ok(forgot.success, `${command}: ${stderr}`);
    const again = await grid(["trust", "node1", "--json", "--config", "lab.yaml"], { cwd });
    assert.equal(
      JSON.parse(again.stdout).nodes[0].keys[0].state,
      "unknown",
    );
  },
);

Deno.test("grid trust --yes alone is refused", async () => {
  using folder = project({});
  const { code, stderr } = await grid(["trust", "--yes"], { cwd: folder.path });
  assert.equal(code, 2, stderr);
  assert.match(stderr, /--fingerprints/);
});
