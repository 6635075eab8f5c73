import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { grid, killIfThere, programArgs, project, until } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { testWith } from "../support/requires.ts";

/** Moments at which the runner is killed; `GRID_TEST_ROUNDS` asks for more. */
const ROUNDS = Number(Deno.env.get("GRID_TEST_ROUNDS") ?? 6);
const LINES = 10_000;

const PIPELINE = `name: counted
steps:
  - id: before
    run: echo ready
  - id: count
    needs: before
    run: |
      echo once >> ~/effects
      i=0
      while [ $i -lt ${LINES} ]; do i=$((i + 1)); echo "line $i"; [ $((i % 500)) -ne 0 ] || sleep 0.05; done
      exit 0
  - id: after
    needs: count
    run: echo done
`;

testWith(
  ["sshd"],
  "a runner killed at any moment loses no job, no line, and repeats nothing",
  async (t) => {
    await using lab = await startOpenSsh({ nodes: 1, gpus: 0 });
    const home = lab.nodes[0]?.home ?? "";
    for (let round = 0; round < ROUNDS; round++) {
      const killAfterMs = 150 + Math.floor(Math.random() * 2500);
      await t.step(`killed after ${killAfterMs} ms`, async () => {
        using folder = project({
          "p.yaml": PIPELINE,
          "lab.yaml": labConfig({ lab, rayMode: "embedded" }),
        });
        const effects = join(home, "effects");
        if (existsSync(effects)) Deno.removeSync(effects);
        await startAndKill(folder.path, killAfterMs);
        const args = ["--config", "lab.yaml"];
        const resumed = await grid(["resume", "last", ...args], { cwd: folder.path });
        // A runner that died before its first event left nothing to resume.
        if (resumed.code === 2) {
          const again = await grid(["run", "p.yaml", ...args], { cwd: folder.path });
          assert.equal(again.code, 0, again.stderr);
        } else assert.equal(resumed.code, 0, resumed.stderr);

        assert.equal(Deno.readTextFileSync(effects), "once\n", resumed.stderr);
        const { stdout } = await grid(["logs", "last", "count"], { cwd: folder.path });
        if (/count +reused|↺ count/.test(resumed.stderr)) return;
        const expected = Array.from({ length: LINES }, (_, index) => `line ${index + 1}\n`).join(
          "",
        );
        assert.ok(stdout === expected, `log of ${stdout.length} bytes differs`);
      });
    }
    // What measures a job looks once a second whether it is still there.
    await until(() => lab.leftovers().length === 0, { what: "nothing is left on the node" });
  },
);

async function startAndKill(cwd: string, afterMs: number): Promise<void> {
  const child = new Deno.Command(Deno.execPath(), {
    args: programArgs(["run", "p.yaml", "--config", "lab.yaml"]),
    cwd,
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const timer = setTimeout(() => killIfThere(child), afterMs);
  await child.status;
  clearTimeout(timer);
}
