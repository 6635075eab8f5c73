import assert from "node:assert/strict";
import { join } from "node:path";
import { grid, project } from "../support/cli.ts";

const PIPELINE = `name: env
secrets: [TOKEN]
steps:
  - id: train
    node: local
    env: { LR: "\${{ env('LR', '0.1') }}" }
    run: echo "lr=$LR" >> "$GRID_OUTPUT"
  - id: eval
    needs: train
    node: local
    secrets: TOKEN
    env: { LR: "\${{ env(\\"LR\\", '0.1') }}" }
    run: echo "lr=$LR" >> "$GRID_OUTPUT"; [ -e ../ok ]
`;

Deno.test("a resumed run sees the variables that the earlier run saw", async () => {
  using folder = project({ "env.yaml": PIPELINE });
  const ok = join(folder.path, "ok");
  const text = PIPELINE.replace("../ok", ok);
  Deno.writeTextFileSync(join(folder.path, "env.yaml"), text);
  const env = { TOKEN: "hunter2hunter2" };
  const first = await grid(["run", "env.yaml"], {
    cwd: folder.path,
    env: { ...env, LR: "0.003" },
  });
  assert.equal(first.code, 1, first.stderr);
  Deno.writeTextFileSync(ok, "");
  const second = await grid(["resume", "--json"], { cwd: folder.path, env });
  assert.equal(second.code, 0, second.stderr);
  assert.match(second.stderr, /not set here, so taken from run \S+: LR/);
  const steps = JSON.parse(second.stdout).steps;
  assert.deepEqual(
    steps.map((step: { state: string; outputs: unknown }) => [step.state, step.outputs]),
    [["reused", { lr: "0.003" }], ["succeeded", { lr: "0.003" }]],
  );
  const plan = await grid(["run", "env.yaml", "--json"], { cwd: folder.path, env });
  assert.equal(JSON.parse(plan.stdout).steps[0].outputs.lr, "0.1", "a new run takes nothing over");
});
