import assert from "node:assert/strict";
import fc from "fast-check";
import type { NodeFacts } from "../../../src/cluster/node.ts";
import { scoreNode, type ScoreOptions } from "../../../src/cluster/score.ts";
import { facts, GIB, gpu, node } from "./nodes.ts";

const weights = { cpuWeight: 1, gpuWeight: 3 };

function score(changes: Partial<NodeFacts>, options: Partial<ScoreOptions> = {}) {
  return scoreNode({ node: node("a"), facts: facts(changes), weights, ...options });
}

Deno.test("scoreNode() weighs load per core and used GPU memory", () => {
  const half = score({ load1: 2, cores: 4, gpus: [gpu(0, { memoryUsedBytes: 12 * GIB })] });
  assert.equal(half.cpuPercent, 50);
  assert.equal(half.gpuPercent, 50);
  assert.equal(half.score, 50 + 3 * 50);
});

Deno.test("scoreNode() caps both at 100 %", () => {
  assert.equal(score({ load1: 400, cores: 4 }).score, 100);
});

Deno.test("scoreNode() counts what is unknown as the worst, never as free", () => {
  assert.equal(score({ load1: undefined }).score, 100);
  assert.equal(score({ cores: undefined }).score, 100);
  assert.equal(score({ cores: 0 }).score, 100);
  assert.equal(score({ gpus: [gpu(0, { memoryUsedBytes: undefined })] }).score, 300);
  assert.equal(score({ gpus: [gpu(0), gpu(1, { memoryTotalBytes: undefined })] }).score, 150);
  assert.equal(score({ gpuTool: "failed" }).score, 300);
});

Deno.test("scoreNode() of a node without GPUs has no GPU part", () => {
  assert.equal(score({ load1: 1 }).gpuPercent, 0);
});

Deno.test("scoreNode() looks only at the GPUs that the owner lends", () => {
  const gpus = [gpu(1, { memoryUsedBytes: 24 * GIB }), gpu(0)];
  assert.equal(score({ gpus }, { node: node("a", { gpus: 1 }) }).gpuPercent, 0);
  assert.equal(score({ gpus }).gpuPercent, 50);
});

Deno.test("scoreNode() looks only at the GPUs in question where they are named", () => {
  const gpus = [gpu(0), gpu(1, { memoryUsedBytes: 24 * GIB })];
  assert.equal(score({ gpus }, { gpus: [gpu(0)] }).gpuPercent, 0);
});

Deno.test("scoreNode() explains every part, and the parts add up", () => {
  const { parts, score: total } = score(
    { load1: 3.2, cores: 16, gpus: [gpu(0, { memoryUsedBytes: 6 * GIB })] },
  );
  assert.deepEqual(parts.map(({ name, points }) => [name, points]), [
    ["cpu", 20],
    ["gpu", 75],
  ]);
  assert.equal(parts[0]?.words, "load 3.2 on 16 cores = 20 %, × 1");
  assert.equal(parts[1]?.words, "memory of 1 GPU = 25 %, × 3");
  assert.equal(total, 95);
});

Deno.test("scoreNode() grows with load and memory, and stays within its bounds", () => {
  const share = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(fc.property(share, share, share, share, (cpu, moreCpu, used, moreUsed) => {
    const of = (load: number, memory: number) =>
      score({ load1: load * 4, gpus: [gpu(0, { memoryUsedBytes: memory * 24 * GIB })] }).score;
    const low = of(Math.min(cpu, moreCpu), Math.min(used, moreUsed));
    const high = of(Math.max(cpu, moreCpu), Math.max(used, moreUsed));
    assert.ok(low <= high + 1e-9);
    assert.ok(low >= 0 && high <= 400 + 1e-9);
  }));
});
