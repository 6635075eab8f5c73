import assert from "node:assert/strict";
import type { NodeFacts, NodeHealth } from "../../../src/cluster/node.ts";
import { withSharers } from "../../../src/cluster/shared_home.ts";
import { renderHealth } from "../../../src/terminal/tables/health_table.ts";

function row(node: string, workspaceToken?: string): NodeHealth {
  const facts: NodeFacts = {
    load1: 0,
    cores: 4,
    memoryTotalBytes: 2 ** 30,
    memoryAvailableBytes: 2 ** 30,
    diskFreeBytes: 2 ** 30,
    diskUsedPercent: 0,
    workspaceProblem: undefined,
    gpuTool: "none",
    gpuProblem: undefined,
    gpus: [],
    ...(workspaceToken && { workspaceToken }),
  };
  return {
    ...{ node, at: 0, fromCache: false, status: "ok", reason: undefined, hint: undefined },
    ...{ facts, score: 1, cpuPercent: 1, gpuPercent: 0, placed: 0 },
  };
}

Deno.test("nodes that tell one word name each other, in their order", () => {
  const rows = [row("a", "one"), row("b"), row("c", "two"), row("d", "one"), row("e", "one")];
  assert.deepEqual(
    withSharers(rows).map(({ node, sharesWith }) => [node, sharesWith]),
    [["a", ["d", "e"]], ["b", []], ["c", []], ["d", ["a", "e"]], ["e", ["a", "d"]]],
  );
});

Deno.test("a table of many nodes with one home says so in one line", () => {
  const rows = withSharers(Array.from({ length: 300 }, (_, at) => row(`n${at + 1}`, "one")));
  const text = renderHealth(rows, { color: false, width: 100, now: 0 });
  assert.deepEqual(text.match(/^ +shares .*$/gm), ["  shares its workspace with n[2-300]"]);
});
