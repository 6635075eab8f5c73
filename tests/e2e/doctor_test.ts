import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, project } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { testWith } from "../support/requires.ts";

interface Shown {
  readonly about: string;
  readonly level: string;
  readonly words: string;
  readonly repair: string | null;
}

testWith(["sshd", "bash"], "doctor finds what is broken on purpose, and the repair", async () => {
  await using lab = await startOpenSsh({ nodes: 4, gpus: 2 });
  const [well, noisy, held, deaf] = lab.nodes;
  assert.ok(well && noisy && held && deaf);
  Deno.writeTextFileSync(join(noisy.home, ".bashrc"), "echo Welcome to the lab\n");
  // Where the claims of this account belong, something else lies.
  const claims = join(held.home, "gpu_leases");
  Deno.mkdirSync(claims, { mode: 0o777 });
  Deno.writeTextFileSync(join(claims, `grid-claims-${Deno.uid()}`), "");
  Deno.writeTextFileSync(join(deaf.home, ".bashrc"), "exit 0\n");
  const config = labConfig({ lab, rayMode: "embedded" })
    .replace("nodes:", "nodes:\n  - { name: gone, host: 127.0.0.1, port: 9, user: nobody }");
  using folder = project({ "config/cluster_config.yaml": `${config}` });
  const { code, stdout, stderr } = await grid(["doctor", "--json"], { cwd: folder.path });
  assert.equal(code, 1, stderr);
  const byNode = new Map<string, readonly Shown[]>(
    JSON.parse(stdout).nodes.map(({ node, findings }: { node: string; findings: Shown[] }) => [
      node,
      findings,
    ]),
  );
  const bad = (node: string) =>
    (byNode.get(node) ?? []).filter(({ level }) => level === "bad").map(({ about }) => about);
  assert.deepEqual(bad("node1"), []);
  assert.deepEqual(bad("node2"), [], "Grid drops what start-up files print");
  assert.match(
    byNode.get("node2")?.find(({ about }) => about === "startup")?.words ?? "",
    /print: "Welcome to the lab"/,
  );
  assert.deepEqual(bad("node3"), ["claims"]);
  assert.ok(bad("node4").includes("startup"), stdout);
  assert.deepEqual(bad("gone"), ["login"]);
  for (const findings of byNode.values()) {
    for (const { level, repair, words } of findings) {
      if (level === "bad") assert.ok(repair, words);
    }
  }
  const keys = byNode.get("node1")?.find(({ about }) => about === "keys")?.words ?? "";
  assert.match(keys, /^Grid and ssh offer .*id_ed25519 \(SHA256:.*; taken: SHA256:/);

  const good = await grid(["doctor", "node1"], { cwd: folder.path });
  assert.equal(good.code, 0, good.stdout);
  assert.match(
    good.stdout,
    /^node1\n {2}✔ address .*\n(.*\n)* {2}✔ gpus {8}2× A100, by nvidia-smi$/m,
  );
  const wrong = await grid(["doctor", "node9"], { cwd: folder.path });
  assert.equal(wrong.code, 2);
});
