import assert from "node:assert/strict";
import { GridError } from "../../../src/core/errors.ts";
import { distinctName } from "../../../src/core/file_names.ts";
import type { SelectOptions } from "../../../src/cluster/cluster.ts";
import type { OpenNode } from "../../../src/cluster/node.ts";
import type { NodeSelector } from "../../../src/cluster/node_selector.ts";
import type { StepRequest } from "../../../src/engine/ports.ts";
import type { SelectNodeAction } from "../../../src/pipeline/pipeline.ts";
import { createSelectNodeStep } from "../../../src/steps/select_node.ts";
import { recordHost } from "../../support/step_rig.ts";
import { facts, gpu, health, selector } from "../cluster/nodes.ts";

function request(wish: NodeSelector): StepRequest<SelectNodeAction<string>> {
  return {
    run: "r1",
    pipeline: "p",
    step: "gpu",
    attempt: 1,
    action: { kind: "select-node", selector: wish },
    node: { kind: "best" },
    avoidNodes: ["bad"],
    env: {},
    secrets: {},
    outputs: [],
    workingDirectory: undefined,
    shell: "bash",
    detach: false,
    killGraceMs: 1000,
    folders: {},
    resumeJob: undefined,
  };
}

Deno.test("select-node gives the node and what it offers, and journals the choice", async () => {
  const asked: [NodeSelector, SelectOptions | undefined][] = [];
  const passedOver = [{ node: "b", reason: "connection refused" }];
  const step = createSelectNodeStep({
    cluster: {
      select: (wish, options) => {
        asked.push([wish, options]);
        const row = health("a", { score: 12.345, facts: facts({ cores: 8, gpus: [gpu(0)] }) });
        return Promise.resolve({ node: "a", health: row, passedOver });
      },
      open: () => Promise.resolve({} as OpenNode),
    },
  });
  const host = recordHost();
  const { notes, signal } = host;
  const wish = selector({ gpus: 2, labels: ["a100"] });
  const outcome = await step.run(request(wish), host);
  assert.deepEqual(outcome, {
    status: "succeeded",
    outputs: { node: "a", score: 12.3, gpus: 2, cores: 8 },
  });
  assert.deepEqual(notes, [{ type: "node.chosen", node: "a", score: 12.345, passedOver }]);
  const [[, options = {}] = []] = asked;
  assert.equal(typeof options.onWait, "function");
  assert.deepEqual(asked, [[wish, {
    signal,
    onWait: options.onWait,
    words: { run: "r1", step: "gpu" },
    avoid: ["bad"],
    holder: "r1 gpu 1",
    group: distinctName(["r1", "gpu"]),
  }]]);
});

Deno.test("select-node passes over a node that cannot be used after all", async () => {
  const broken = new GridError({
    code: "workspace",
    message: 'Cannot use the workspace on "hole": it cannot be made',
    node: "hole",
  });
  const opened: string[] = [];
  const step = createSelectNodeStep({
    cluster: {
      select: (_wish, { avoid = [] } = {}) => {
        const node = avoid.includes("hole") ? "good" : "hole";
        return Promise.resolve({ node, health: health(node), passedOver: [] });
      },
      open: (name) => {
        opened.push(name);
        return name === "hole" ? Promise.reject(broken) : Promise.resolve({} as OpenNode);
      },
    },
  });
  const host = recordHost();
  const outcome = await step.run(request(selector({})), host);
  assert.deepEqual(opened, ["hole", "good"]);
  assert.equal(outcome.status === "succeeded" && outcome.outputs["node"], "good");
  assert.deepEqual(host.notes.map((note) => note.type), ["warned", "node.chosen"]);
});
