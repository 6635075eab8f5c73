/** The language knows the outputs of each kind of step by name; here the steps themselves give them. */
import assert from "node:assert/strict";
import { KIND_OUTPUTS, type KindKey } from "../../src/pipeline/step_kinds.ts";
import { story } from "../support/story.ts";

const PIPELINE = `name: kinds
steps:
  - { id: select-node, select-node: { gpus: 0 } }
  - { id: data, data: { from: data, to: local1 } }
  - { id: sync, sync: { from: data, to: local1 } }
  - id: ray-batch
    needs: sync
    node: local1
    ray-batch: { call: "work:double", tasks: { range: 3 } }
  - { id: fetch, needs: ray-batch, node: local1, fetch: { from: [work.py], to: back } }
`;

story(
  "every kind of step gives the outputs that the language knows",
  { "p.yaml": PIPELINE, "data/work.py": "def double(task):\n    return 2 * task\n" },
  async ({ when }) => {
    const report: { steps: { id: KindKey; outputs: object }[] } = (await when("run p.yaml --json"))
      .json();
    const given = report.steps.map(({ id, outputs }) => [id, Object.keys(outputs).sort()]);
    const known = Object.entries(KIND_OUTPUTS).map(([kind, names]) => [kind, names.toSorted()]);
    assert.deepEqual(Object.fromEntries(given), Object.fromEntries(known));
  },
  ["python3"],
);
