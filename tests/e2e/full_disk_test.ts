/** A disk of 1 MB that fills up: on a node, and under `.grid` here. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, project } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { findProgram, testWith } from "../support/requires.ts";
import { tempDir } from "../support/temp_dir.ts";

/** A file system of this size in memory, until the end of the block. */
function smallDisk(folder: string, size: string): Disposable {
  Deno.mkdirSync(folder, { recursive: true });
  mountWith("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", folder]);
  return { [Symbol.dispose]: () => mountWith("umount", ["--lazy", folder]) };
}

/** A file with ext4 in it, as a disk. */
function mountDisk(image: string, { size, at }: { readonly size: string; readonly at: string }) {
  mountWith("truncate", ["-s", size, image]);
  mountWith("mkfs.ext4", ["-q", image]);
  mountWith("mount", ["-o", "loop", image, at]);
  return { [Symbol.dispose]: () => mountWith("umount", ["--lazy", at]) };
}

/** Not every machine has loop devices to lend, whatever is installed. */
function canMountDisks(): boolean {
  if (["sshd", "mkfs.ext4"].some((name) => findProgram(name) === undefined)) return false;
  using folder = tempDir();
  const at = join(folder.path, "at");
  Deno.mkdirSync(at);
  try {
    using _ = mountDisk(join(folder.path, "disk"), { size: "2M", at });
    return true;
  } catch (error) {
    console.log(`no disks of our own: ${error}`);
    return false;
  }
}

function mountWith(program: string, args: readonly string[]): void {
  const { success, stderr } = new Deno.Command(program, { args: [...args] }).outputSync();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}

function fill(folder: string): void {
  const block = new Uint8Array(64 * 1024);
  for (const size of [64 * 1024, 1]) {
    try {
      using file = Deno.openSync(join(folder, `fill-${size}`), { write: true, create: true });
      for (;;) file.writeSync(block.subarray(0, size));
    } catch (error) {
      assert.match(String(error), /os error 28/);
    }
  }
}

testWith(["sshd", "root"], "a full disk on a node is named, with exit code 3", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  const root = lab.nodes[0]?.root ?? "";
  using _disk = smallDisk(root, "1m");
  using folder = project({ "lab.yaml": labConfig({ lab, rayMode: "embedded" }) });
  fill(root);
  const args = ["run", "echo hi", "--node", "node1", "--config", "lab.yaml"];
  const { code, stderr } = await grid(args, { cwd: folder.path });
  assert.equal(code, 3, stderr);
  assert.match(stderr, /"node1": its disk is full/);
  assert.match(stderr, /hint: make room there/);
});

Deno.test({
  name: "a node whose disk has failed is not taken for a good one (where disks can be mounted)",
  ignore: !canMountDisks(),
  async fn() {
    await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
    const root = lab.nodes[0]?.root ?? "";
    Deno.mkdirSync(root);
    using _mount = mountDisk(join(lab.folder, "disk"), { size: "600M", at: root });
    using folder = project({ "lab.yaml": labConfig({ lab, rayMode: "embedded" }) });
    const health = async () => {
      const { stdout } = await grid(["health", "--json", "--fresh", "--config", "lab.yaml"], {
        cwd: folder.path,
      });
      const [{ status, reason }] = JSON.parse(stdout).nodes;
      return [status, reason];
    };
    assert.equal((await health())[0], "ok");
    // As the kernel itself does it after an error.
    mountWith("mount", ["-o", "remount,abort", root]);
    assert.throws(() => Deno.mkdirSync(join(root, "x")), /Read-only/);
    const [status, reason] = await health();
    assert.equal(status, "unusable");
    // Earlier kernels say so to everybody who asks.
    assert.match(reason, /its disk has failed|may not write to/);
  },
});

testWith(
  ["sshd", "root"],
  "a node's disk that a step fills fails that step, and is free again",
  async () => {
    await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
    using _disk = smallDisk(lab.nodes[0]?.root ?? "", "1m");
    using folder = project({
      "lab.yaml": labConfig({ lab, rayMode: "embedded" }),
      "p.yaml": "name: p\nsteps:\n  - { id: a, node: node1, run: seq 1 1000000 }\n",
    });
    const full = await grid(["run", "p.yaml", "--config", "lab.yaml"], { cwd: folder.path });
    assert.equal(full.code, 1, full.stderr);
    assert.match(full.stderr, /a failed on node1/);
    assert.match(full.stderr, /hint: the disk of \/\S+ on node1 is full: .*df -h \//);
    const after = await grid(["run", "echo hi", "--node", "node1", "--config", "lab.yaml"], {
      cwd: folder.path,
    });
    assert.equal(after.stdout, "hi\n", after.stderr);
  },
);

testWith(["root"], "a run whose journal finds no room ends its commands and says why", async () => {
  using folder = project({});
  using _disk = smallDisk(join(folder.path, ".grid"), "512k");
  using nodes = tempDir();
  Deno.writeTextFileSync(
    join(folder.path, "nodes.yaml"),
    `nodes: [{ name: here, transport: local }]\nremote_root: ${nodes.path}\n`,
  );
  const steps = Array.from({ length: 600 }, (_, index) => `  - { id: s${index}, run: "true" }\n`);
  Deno.writeTextFileSync(join(folder.path, "p.yaml"), `name: p\nsteps:\n${steps.join("")}`);
  const { code, stderr } = await grid(["run", "p.yaml", "--quiet", "--config", "nodes.yaml"], {
    cwd: folder.path,
  });
  assert.equal(code, 6, stderr);
  assert.match(stderr, /^error: Cannot write to the run database .*: no room is left/m);
  assert.doesNotMatch(stderr, /^bug:|^\s+at .*\.ts:\d+/m);
});

const FILLING = `name: p
steps:
  - { id: quick, node: here, run: echo hi }
  - { id: loud, node: here, needs: quick, run: "seq 1 1000000" }
  - { id: long, node: here, needs: quick, timeout: { kill-grace: 5s }, run: sleep 300 }
  - { id: never, node: here, needs: long, run: echo never }
`;

testWith(
  ["root"],
  "a disk that fills up ends a run with its true states and a report",
  async () => {
    using folder = project({ "p.yaml": FILLING });
    using _disk = smallDisk(join(folder.path, ".grid"), "4m");
    using nodes = tempDir();
    const config = `nodes: [{ name: here, transport: local }]\nremote_root: ${nodes.path}\n`;
    Deno.writeTextFileSync(join(folder.path, "nodes.yaml"), config);
    const args = ["run", "p.yaml", "--config", "nodes.yaml"];
    const { code, stderr } = await grid(args, { cwd: folder.path });
    assert.equal(code, 6, stderr.slice(-2000));
    assert.doesNotMatch(stderr, /^bug:|^\s+at .*\.ts:\d+/m);
    assert.match(stderr, /no room is left on the disk that holds \.grid/);
    const named = [...stderr.matchAll(/\s(?:report|log)\s+(\.grid\S+)/g)].map(([, path]) =>
      path ?? ""
    );
    for (const path of named) Deno.statSync(join(folder.path, path));
    assert.ok(named.some((path) => path.endsWith("report.html")), stderr.slice(-2000));
    const shown = await grid(["report", "--json"], { cwd: folder.path });
    const { result, exitCode, steps } = JSON.parse(shown.stdout);
    const loud = await grid(["logs", "last", "loud"], { cwd: folder.path });
    assert.match(
      loud.stderr,
      /^\S+ \S+ that it printed were not kept: the disk here had no room$/m,
    );
    const printed = Array.from({ length: 1_000_000 }, (_, at) => `${at + 1}\n`.length)
      .reduce((sum, length) => sum + length, 0);
    assert.equal(loud.stdout.length + steps[1].attempts[0].unkeptBytes, printed);
    assert.deepEqual([result, exitCode], ["cancelled", 6]);
    assert.deepEqual(
      steps.map(({ id, state }: { id: string; state: string }) => [id, state]),
      [["quick", "succeeded"], ["loud", "succeeded"], ["long", "cancelled"], [
        "never",
        "cancelled",
      ]],
    );
  },
);
