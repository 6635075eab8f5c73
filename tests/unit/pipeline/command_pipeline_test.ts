import assert from "node:assert/strict";
import { commandPipeline } from "../../../src/pipeline/command_pipeline.ts";

const stepsOf = (options: Parameters<typeof commandPipeline>[0]) =>
  commandPipeline(options).steps.map(({ id, node }) => `${id}: ${node.kind}`);

Deno.test("commandPipeline() chooses a node unless one is named", () => {
  assert.deepEqual(stepsOf({ command: "date" }), ["node: best", "command: chosen-by"]);
  assert.deepEqual(stepsOf({ command: "date", node: "gpu1" }), ["command: named"]);
});

Deno.test("commandPipeline() asks of a named node what else is asked for", () => {
  const { steps } = commandPipeline({ command: "date", node: "gpu1", gpus: 2, labels: ["a100"] });
  const [select, run] = steps;
  assert.ok(select?.action.kind === "select-node" && run?.node.kind === "chosen-by");
  const { among, labels, gpus } = select.action.selector;
  assert.deepEqual([among[0]?.constant, labels[0]?.constant, gpus], ["gpu1", "a100", 2]);
});

Deno.test("commandPipeline() asks for one GPU of a model, or as many as are said", () => {
  const wish = (gpus?: number) => {
    const [select] = commandPipeline({ command: "date", node: "gpu1", model: "a100", gpus }).steps;
    assert.ok(select?.action.kind === "select-node");
    return [select.action.selector.model?.constant, select.action.selector.gpus];
  };
  assert.deepEqual([wish(), wish(2)], [["a100", 1], ["a100", 2]]);
});

Deno.test("commandPipeline() runs the command in the shell that steps have", () => {
  assert.equal(commandPipeline({ command: "date" }).steps.at(-1)?.shell, "bash");
});
