/** Runs whose runner or whose node was away for longer than the lease: what resuming makes of them. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { grid, project, startGrid, until } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { type OpenSshLab, startOpenSsh } from "../support/openssh.ts";
import { processesWith } from "../support/processes.ts";
import { testWith } from "../support/requires.ts";
import type { TempDir } from "../support/temp_dir.ts";

const ARGS = ["--config", "lab.yaml"];

/** One step on the only node; its commands find the node's home in `~`. */
function projectWith(lab: OpenSshLab, lines: readonly string[]): TempDir {
  const script = lines.map((line) => `      ${line}\n`).join("");
  return project({
    "p.yaml": `name: lost
steps:
  - id: work
    env: { MARK: "${lab.folder}" }
    run: |
${script}  - id: after
    needs: work
    run: echo after >> ~/effects
`,
    "lab.yaml": `${labConfig({ lab, rayMode: "embedded" })}jobs: { lease: 3 }\n`,
  });
}

function homeOf(lab: OpenSshLab): string {
  return lab.nodes[0]?.home ?? "";
}

function effectsOf(lab: OpenSshLab): string {
  const path = join(homeOf(lab), "effects");
  return existsSync(path) ? Deno.readTextFileSync(path) : "";
}

testWith(["sshd"], "a job that the lease ended is done again by one resume", async () => {
  await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
  using folder = projectWith(lab, [
    "echo begun >> ~/effects",
    "[ -f ~/mended ] || sleep 1000",
  ]);
  await using run = startGrid(["run", "p.yaml", ...ARGS], { cwd: folder.path });
  await until(() => effectsOf(lab) !== "", { what: "the step" });
  await run.kill();
  await until(() => processesWith(`MARK=${lab.folder}`).length === 0, {
    what: "the end of the lease",
  });
  Deno.writeTextFileSync(join(homeOf(lab), "mended"), "");
  const { code, stderr } = await grid(["resume", ...ARGS], { cwd: folder.path });
  assert.equal(code, 0, stderr);
  assert.match(stderr, /ended while no runner was there; it starts again/);
  assert.equal(effectsOf(lab), "begun\nbegun\nafter\n");
});

testWith(
  ["sshd"],
  "a job that ended well on a node that stayed away is not done again",
  async () => {
    await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
    const [node] = lab.nodes;
    assert.ok(node);
    using folder = projectWith(lab, [
      "echo begun >> ~/effects",
      "while [ ! -f ~/release ]; do sleep 0.1; done",
      'echo "value=42" >> "$GRID_OUTPUT"',
      "echo ended >> ~/effects",
    ]);
    await using run = startGrid(["run", "p.yaml", ...ARGS], { cwd: folder.path });
    await until(() => effectsOf(lab) !== "", { what: "the step" });
    await node.killDaemon();
    Deno.writeTextFileSync(join(homeOf(lab), "release"), "");
    const lost = await run.ended;
    assert.equal(lost.code, 3, lost.stderr);
    assert.match(lost.stderr, /node1: .*; what runs there goes on, and Grid keeps trying/);
    assert.match(lost.stderr, /Cannot reach "node1" again/);
    await node.start();
    const { code, stdout, stderr } = await grid(["resume", "--json", ...ARGS], {
      cwd: folder.path,
    });
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout).steps[0].outputs, { value: "42" });
    assert.equal(effectsOf(lab), "begun\nended\nafter\n");
  },
);
