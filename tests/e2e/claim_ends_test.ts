/** A GPU is held as long as anything of its job lives, whatever else is killed, and no longer. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { heldGpus } from "../support/claims.ts";
import { project, startGrid, until } from "../support/cli.ts";
import { labConfig } from "../support/lab.ts";
import { startOpenSsh } from "../support/openssh.ts";
import { testWith } from "../support/requires.ts";

type Part = "runner" | "launcher" | "shell";
const ORDERS: readonly (readonly Part[])[] = [
  ["runner", "launcher", "shell"],
  ["runner", "shell", "launcher"],
];

testWith(
  ["sshd"],
  "kill -9 of runner, launcher and shell frees no GPU; that of the last process does",
  async (t) => {
    await using lab = await startOpenSsh({ nodes: 1, gpus: 1 });
    const [node] = lab.nodes;
    assert.ok(node);
    // The runner holds it as well, for the jobs of the step.
    const held =
      async () => [...new Set(await heldGpus({ folder: join(node.home, "gpu_leases") }))];
    for (const order of ORDERS) {
      await t.step(order.join(", "), async () => {
        const pids = join(lab.folder, order.join("."));
        using folder = project({ "lab.yaml": labConfig({ lab, rayMode: "embedded" }) });
        const command =
          `sleep 1000 & echo "$PPID $$ $!" >${pids}.new; mv ${pids}.new ${pids}; wait`;
        await using run = startGrid(["run", command, "--gpus", "1", "--config", "lab.yaml"], {
          cwd: folder.path,
        });
        await until(() => exists(pids), { what: "the job" });
        const [launcher = 0, shell = 0, child = 0] = Deno.readTextFileSync(pids).split(" ").map(
          Number,
        );
        assert.deepEqual(await held(), ["GPU-00000000"]);
        for (const part of order) {
          if (part === "runner") await run.kill();
          else Deno.kill(part === "launcher" ? launcher : shell, "SIGKILL");
          // Whoever might take it for over would do so soon.
          for (let look = 0; look < 4; look++) {
            await new Promise((resolve) => setTimeout(resolve, 200));
            assert.deepEqual(await held(), ["GPU-00000000"], `freed by the end of the ${part}`);
          }
        }
        Deno.kill(child, "SIGKILL");
        const killedAt = performance.now();
        const deadline = killedAt + 60_000;
        while ((await held()).length > 0) assert.ok(performance.now() < deadline, "still held");
        if (Deno.env.has("GRID_TEST_ROUNDS")) {
          console.log(`freed after ${Math.round(performance.now() - killedAt)} ms`);
        }
      });
    }
  },
);

function exists(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}
