/** Nodes that answer and look idle, on which no command can begin. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { grid } from "../../support/cli.ts";
import { type OpenSshLab, startOpenSsh } from "../../support/openssh.ts";
import { testWith } from "../../support/requires.ts";
import { tempDir } from "../../support/temp_dir.ts";

/** The first node is the hole, the second is well. */
function projectOf(lab: OpenSshLab) {
  const project = tempDir();
  Deno.mkdirSync(join(project.path, ".grid"), { mode: 0o700 });
  const nodes = lab.nodes.map(({ name, endpoint: { host, port, user } }) => ({
    name,
    host,
    port,
    user,
  }));
  const config = {
    nodes,
    ssh: { key_file: lab.keyFile, known_hosts: lab.knownHosts },
    health_check: { timeout: 15 },
  };
  Deno.writeTextFileSync(join(project.path, "lab.yaml"), JSON.stringify(config));
  const run = (...args: string[]) => grid([...args, "--config", "lab.yaml"], { cwd: project.path });
  return {
    run,
    rows: async () => JSON.parse((await run("health", "--fresh", "--json")).stdout).nodes,
    [Symbol.dispose]: () => project[Symbol.dispose](),
  };
}

/** All programs of this machine but some, as the only ones that the node's accounts find. */
async function hide(lab: OpenSshLab, tools: readonly string[]): Promise<void> {
  const [node] = lab.nodes;
  assert.ok(node);
  const bin = join(lab.folder, "bin");
  Deno.mkdirSync(bin);
  const seen = new Set(tools);
  for (const folder of ["/usr/local/bin", "/usr/bin", "/bin"]) {
    for (const { name } of Deno.readDirSync(folder)) {
      if (!seen.has(name)) Deno.symlinkSync(join(folder, name), join(bin, name));
      seen.add(name);
    }
  }
  const file = join(lab.folder, node.name, "sshd_config");
  const config = Deno.readTextFileSync(file).replace(/ PATH=\S+/, ` PATH=${bin}`);
  await node.stop();
  Deno.writeTextFileSync(file, config);
  await node.start();
}

testWith(
  ["sshd"],
  "a node without the tools that jobs need says which, and is never chosen",
  async () => {
    await using lab = await startOpenSsh({ nodes: 2, gpus: 0 });
    await hide(lab, ["cat", "head", "mv"]);
    using project = projectOf(lab);
    const [hole, well] = await project.rows();
    assert.deepEqual([hole.status, well.status], ["unusable", "ok"]);
    assert.equal(hole.reason, "there is no cat, no head, no mv on its PATH");
    assert.match(hole.hint, /install coreutils or busybox/);
    const { stdout, stderr, code } = await project.run("run", "echo on $GRID_NODE");
    assert.deepEqual([code, stdout], [0, "on node2\n"], stderr);
  },
);

testWith(["sshd"], "a node without od, tr, sed, awk and ps runs what it is given", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  await hide(lab, ["od", "tr", "sed", "awk", "ps"]);
  using project = projectOf(lab);
  const { stdout, stderr, code } = await project.run("run", "echo on $GRID_NODE");
  assert.deepEqual([code, stdout], [0, "on node1\n"], stderr);
});

/** What is mounted at the home of the first node, and whether health sees that it is of no use. */
const DISKS: Readonly<Record<string, { readonly mount: string; readonly seen?: RegExp }>> = {
  "is full": {
    mount: 'mount -t tmpfs -o size=64k tmpfs "$home"; cat /dev/zero >"$home/all" 2>/dev/null',
    seen: /its disk is full/,
  },
  "cannot be written to": {
    mount: 'mount --bind "$home" "$home"; mount -o remount,bind,ro "$home"',
    seen: /this account may not write to/,
  },
  "takes no more files": {
    mount: 'mount -t tmpfs -o size=900m,nr_inodes=2 tmpfs "$home"; : >"$home/last"',
  },
};

for (const [what, { mount, seen }] of Object.entries(DISKS)) {
  testWith(
    ["sshd", "root", "unshare"],
    `a node whose home ${what} takes no run from the others`,
    async () => {
      // The lab's folder is not known before it starts.
      const script = `case $* in *node1/*) home=$(for word; do case $word in */sshd_config) ` +
        `echo "\${word%/*}/home";; esac; done); ${mount};; esac; exec "$@"`;
      await using lab = await startOpenSsh({
        nodes: 2,
        gpus: 0,
        within: ["unshare", "--mount", "sh", "-c", script, "sh"],
      });
      using project = projectOf(lab);
      const [hole] = await project.rows();
      if (seen) assert.match(`${hole.status}: ${hole.reason}`, seen);
      const { stdout, stderr, code } = await project.run("run", "echo on $GRID_NODE");
      assert.deepEqual([code, stdout], [0, "on node2\n"], stderr);
    },
  );
}

testWith(
  ["sshd", "root", "unshare"],
  "a node whose workspace lets no program start runs shell commands all the same",
  async () => {
    const script = "for word; do case $word in */sshd_config) home=${word%/*}/home;; esac; done; " +
      'mount -t tmpfs -o noexec,size=900m tmpfs "$home"; exec "$@"';
    await using lab = await startOpenSsh({
      nodes: 1,
      gpus: 0,
      within: ["unshare", "--mount", "sh", "-c", script, "sh"],
    });
    using project = projectOf(lab);
    const { stdout, stderr, code } = await project.run("run", "echo on $GRID_NODE");
    assert.deepEqual([code, stdout], [0, "on node1\n"], stderr);
  },
);
