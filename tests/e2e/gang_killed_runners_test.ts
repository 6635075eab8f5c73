/**
 * Runners of steps on many nodes are killed at any moment, beside others that want the same nodes. As often as
 * `GRID_TEST_ROUNDS` says; default 1.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, type RunningGrid, startGrid, until } from "../support/cli.ts";
import { gangProject, LAB, linesOf, marked } from "../support/gang_rig.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { processesWith } from "../support/processes.ts";
import { testWith } from "../support/requires.ts";

const ROUNDS = Number(Deno.env.get("GRID_TEST_ROUNDS") ?? "1");

/** Moments at which something may be half done. */
async function killSometime(run: RunningGrid, mostMs: number): Promise<string> {
  const afterMs = 150 + Math.floor(Math.random() * mostMs);
  await new Promise((resolve) => setTimeout(resolve, afterMs));
  await run.kill();
  return `killed after ${afterMs} ms`;
}

const gang = (id: string, run: string) => `
  - { id: ${id}, nodes: { count: 3, gpus: 1 }, node: { wait: 5m }, env: { MARK: "LAB" }, timeout: { kill-grace: 500ms }, run: '${run}' }`;

testWith(
  ["sshd"],
  "gangs and single steps whose runners are killed and resumed all end, with every effect once",
  async (t) => {
    await using lab = await startOpenSsh({ nodes: 4, gpus: 1 });
    for (let round = 0; round < ROUNDS; round++) {
      await t.step(`round ${round + 1}`, async () => {
        const projects = ["mine", "other"].map((name) => {
          const effects = join(lab.folder, `${name}.${round}`);
          const note = `echo $GRID_STEP $GRID_NODE_RANK >> ${effects}; sleep 0.3`;
          const single = `
  - { id: one, node: { gpus: 1, wait: 5m }, run: 'echo one >> ${effects}' }`;
          const steps = gang("a", note) + single + gang("b", note);
          const text = marked(lab, `name: ${name}\nsteps:${steps}\n`);
          return { effects, folder: gangProject(lab, { "p.yaml": text }) };
        });
        const told = await Promise.all(projects.map(async ({ folder }) => {
          const here = { cwd: folder.path, timeoutMs: 170_000 };
          const killed = await killSometime(startGrid(["run", "p.yaml", ...LAB], here), 4000);
          const resumed = await grid(["resume", "last", ...LAB], here);
          // A runner that died before its first event, or after its last, left nothing to resume.
          const isNothing = resumed.code === 2;
          const { code, stderr } = isNothing
            ? await grid(["run", "p.yaml", ...LAB], here)
            : resumed;
          assert.equal(code, 0, `${killed}: ${stderr}`);
          return `${killed}: ${resumed.stderr}`;
        }));
        for (const [at, { effects, folder }] of projects.entries()) {
          const lines = ["a 0", "a 1", "a 2", "b 0", "b 1", "b 2", "one"];
          assert.deepEqual(linesOf(effects), lines, told[at]);
          folder[Symbol.dispose]();
        }
        assert.deepEqual(processesWith(`MARK=${lab.folder}`), []);
      });
    }
    using asking = gangProject(lab, {});
    const { stdout } = await grid(["queue", "--json", ...LAB], { cwd: asking.path });
    assert.deepEqual(JSON.parse(stdout).queue, []);
  },
);

testWith(
  ["sshd", "python3"],
  "the ranks of a runner that is killed and never comes back end, and others get their nodes",
  async (t) => {
    await using lab = await startOpenSsh({ nodes: 4, gpus: 1 });
    using folder = gangProject(lab, {
      "endless.yaml": marked(lab, `name: endless\nsteps:${gang("all", "MEET nobody-dies")}\n`),
      "next.yaml": `name: next\nsteps:${gang("all", "echo $GRID_NODE_RANK")}\n`,
    });
    for (let round = 0; round < ROUNDS; round++) {
      await t.step(`round ${round + 1}`, async () => {
        const here = { cwd: folder.path, timeoutMs: 120_000 };
        const told = await killSometime(startGrid(["run", "endless.yaml", ...LAB], here), 3000);
        const next = await grid(["run", "next.yaml", ...LAB], here);
        assert.equal(next.code, 0, `${told}: ${next.stderr}`);
        const left = () => processesWith(`MARK=${lab.folder}`);
        await until(() => left().length === 0, { what: `${told}: their end`, seconds: 60 });
      });
    }
  },
);
