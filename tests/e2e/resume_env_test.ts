import assert from "node:assert/strict";
import { story } from "../support/story.ts";

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
    env: { LR: "\${{ env(\\"LR\\", '0.1') }}", HERE: "\${{ env.HERE }}" }
    run: echo "lr=$LR" >> "$GRID_OUTPUT"; [ -e $HERE/ok ]
`;

story(
  "a resumed run sees the variables that the earlier run saw",
  { "env.yaml": PIPELINE },
  async ({ when, env, folder, write }) => {
    Object.assign(env, { TOKEN: "hunter2hunter2", LR: "0.003", HERE: folder });
    await when("run env.yaml", { exit: 1 });
    write("ok", "");
    delete env["LR"];
    delete env["HERE"];
    const resumed = await when("resume --json", {
      screen: /not set here, so taken from run \S+: (LR, HERE|HERE, LR)/,
    });
    assert.deepEqual(
      resumed.json().steps.map((step: { state: string; outputs: unknown }) => [
        step.state,
        step.outputs,
      ]),
      [["reused", { lr: "0.003" }], ["succeeded", { lr: "0.003" }]],
    );
    env["HERE"] = folder;
    const again = await when("run env.yaml --json");
    assert.equal(again.json().steps[0].outputs.lr, "0.1", "a new run takes nothing over");
  },
);
