/** Nodes behind other hosts. */
import assert from "node:assert/strict";
import { createPool } from "../../../src/transport/pool.ts";
import { startOpenSsh } from "../../support/openssh.ts";
import { testWith } from "../../support/requires.ts";
import { isGridError } from "../../support/transport_contract.ts";

testWith(["sshd"], "many nodes behind one jump host share one connection to it", async () => {
  await using lab = await startOpenSsh({ nodes: 5 });
  await using pool = createPool({ handshakes: 1 });
  const [bastion, ...inner] = lab.nodes;
  assert.ok(bastion);
  const proxyJump = `${bastion.endpoint.user}@${bastion.host}:${bastion.port}`;
  const answers = await Promise.all(
    inner.map((node) => pool.transport({ ...node.endpoint, proxyJump }).exec("echo $HOME")),
  );
  assert.deepEqual(answers.map(({ stdout }) => stdout.trim()), inner.map(({ home }) => home));
  assert.equal(bastion.acceptedLogins(), 1);
  for (const node of inner) assert.equal(node.acceptedLogins(), 1);
});

testWith(["sshd"], "a chain of two jump hosts carries a stream byte for byte", async () => {
  await using lab = await startOpenSsh({ nodes: 3 });
  await using pool = createPool({ handshakes: 1 });
  const [first, second, target] = lab.nodes;
  assert.ok(first && second && target);
  const proxyJump = [first, second].map(({ host, port }) => `${host}:${port}`).join(",");
  const transport = pool.transport({ ...target.endpoint, proxyJump });
  await using channel = await transport.open("head -c 3000000 /dev/zero");
  assert.equal((await new Response(channel.stdout).bytes()).length, 3_000_000);
  assert.match(target.readLog(), /Connection from 127\.0\.0\.\d+/);
  assert.deepEqual([first, second, target].map((node) => node.acceptedLogins()), [1, 1, 1]);
});

testWith(["sshd"], "a jump host is held to known_hosts like any other", async () => {
  await using lab = await startOpenSsh({ nodes: 2 });
  await using pool = createPool({ handshakes: 1 });
  const [bastion, target] = lab.nodes;
  assert.ok(bastion && target);
  const lines = Deno.readTextFileSync(lab.knownHosts).trim().split("\n");
  const knownHosts = `${lab.folder}/only_target`;
  Deno.writeTextFileSync(knownHosts, `${lines[1]}\n`);
  const proxyJump = `${bastion.host}:${bastion.port}`;
  const through = (proxyJump: string) =>
    pool.transport({ ...target.endpoint, knownHosts, proxyJump }).exec("true");
  const place = `${bastion.host} port ${bastion.port}`.replaceAll(".", "\\.");
  await assert.rejects(through(proxyJump), (error) => {
    isGridError("host-key")(error);
    assert.match(String(error), new RegExp(`host key of the jump host ${place} is not known`));
    return true;
  });
  // With the other's key for it; what cures that is no business of `grid trust`, which knows nodes.
  const words = lines[1]?.split(" ").slice(1).join(" ") ?? "";
  Deno.writeTextFileSync(knownHosts, `[${bastion.host}]:${bastion.port} ${words}\n`);
  await assert.rejects(through(`root@${proxyJump}`), (error) => {
    isGridError("host-key")(error);
    assert.match(String(error), new RegExp(`host key of the jump host ${place} changed`));
    assert.match((error as { hint: string }).hint, /ssh-keygen -R .* && ssh -p \d+ root@/);
    return true;
  });
  assert.equal(bastion.acceptedLogins(), 0);
});

testWith(
  ["sshd"],
  "what fails behind a jump host is told apart from the jump host's own failure",
  async () => {
    await using lab = await startOpenSsh({ nodes: 2 });
    await using pool = createPool({ handshakes: 1 });
    const [bastion, target] = lab.nodes;
    assert.ok(bastion && target);
    const proxyJump = `${bastion.host}:${bastion.port}`;
    await target.stop();
    await assert.rejects(
      pool.transport({ ...target.endpoint, proxyJump }).exec("true"),
      (error) => {
        isGridError("tcp")(error);
        assert.match(String(error), /Cannot connect to "node2" .* through "127\.0\.0\.2"/);
        return true;
      },
    );
    await bastion.stop();
    await using fresh = createPool({ handshakes: 1 });
    await assert.rejects(
      fresh.transport({ ...target.endpoint, proxyJump }).exec("true"),
      /Cannot connect to "127\.0\.0\.2"/,
    );
  },
);

testWith(["sshd"], "a jump host that forbids forwarding is named", async () => {
  await using lab = await startOpenSsh({ nodes: 2, sshdConfig: ["AllowTcpForwarding no"] });
  await using pool = createPool({ handshakes: 1 });
  const [bastion, target] = lab.nodes;
  assert.ok(bastion && target);
  await assert.rejects(
    pool.transport({ ...target.endpoint, proxyJump: `${bastion.host}:${bastion.port}` }).exec(
      "true",
    ),
    /the jump host forbids forwarding/,
  );
});
