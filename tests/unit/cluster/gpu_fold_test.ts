import assert from "node:assert/strict";
import { parseWork } from "../../../src/cluster/claim.ts";
import { freeModels } from "../../../src/cluster/free_gpus.ts";
import { foldGpus, gpuModel } from "../../../src/cluster/gpu_fold.ts";
import { keptGpus } from "../../../src/cluster/gpu_turn.ts";
import { facts, GIB, gpu, health, node } from "./nodes.ts";

const MODELS = {
  "NVIDIA H100 80GB HBM3": "H100",
  "NVIDIA A100-SXM4-80GB": "A100",
  "NVIDIA A100-PCIE-40GB": "A100",
  "NVIDIA H100 PCIe": "H100",
  "NVIDIA GeForce RTX 4090": "RTX 4090",
  "NVIDIA RTX A6000": "RTX A6000",
  "Tesla V100-SXM2-16GB": "V100",
  "Tesla T4": "T4",
  "NVIDIA GB10": "GB10",
  "NVIDIA L40S": "L40S",
  "Orin (nvgpu)": "Orin (nvgpu)",
  "AMD Instinct MI300X OAM": "MI300X",
  "Intel(R) Arc(TM) A310": "Arc(TM) A310",
};

Deno.test("gpuModel() leaves what people call a card", () => {
  const shown = Object.fromEntries(
    Object.keys(MODELS).map((name) => [name, gpuModel({ name, maker: "nvidia" })]),
  );
  assert.deepEqual(shown, MODELS);
  assert.equal(gpuModel({ name: undefined, maker: "amd" }), "AMD GPU");
  assert.equal(gpuModel({ name: "NVIDIA", maker: "nvidia" }), "NVIDIA");
});

Deno.test("foldGpus() counts equal cards, and those of them that are free", () => {
  const h100 = (index: number, changes = {}) =>
    gpu(index, { name: "NVIDIA H100 80GB HBM3", memoryTotalBytes: 81_559 * 2 ** 20, ...changes });
  const gpus = [
    ...[0, 1, 2, 3, 4].map((index) => h100(index)),
    h100(5, { memoryUsedBytes: 70 * GIB }),
    h100(6, { leases: [{ group: "g", holder: "ada" }] }),
    h100(7, { sick: "GPU is lost" }),
    gpu(8, { name: "Tesla T4", memoryTotalBytes: 15 * GIB }),
  ];
  assert.deepEqual(
    foldGpus(node("a"), facts({ gpus })).map(({ model, total, free, sick }) => [
      model,
      total,
      free,
      sick,
    ]),
    [["H100", 8, 5, 1], ["T4", 1, 1, 0]],
  );
  const lent = foldGpus(node("a", { gpus: 2 }), facts({ gpus }));
  assert.deepEqual(lent.map(({ total, free }) => [total, free]), [[2, 2]]);
});

Deno.test("foldGpus() counts as free what a job that comes now would get: not what is kept for those in line", () => {
  const gpus = [0, 1, 2, 3].map((index) =>
    gpu(index, index < 3 ? { leases: [{ group: "g", holder: "ada" }] } : {})
  );
  const kept = (...wishes: readonly string[]) => {
    const lines = wishes.map((wish) => `@wait no ben 60 - r2 s p o t ${wish}`);
    const there = facts({ gpus, work: parseWork([...lines, "@claims end"]) });
    const free = foldGpus(node("a"), there).map((group) => group.free);
    return [...free, ...keptGpus(node("a"), there).map(({ index }) => `GPU ${index}`)];
  };
  assert.deepEqual(kept(), [1]);
  assert.deepEqual(kept("2 - -"), [0, "GPU 3"]);
  assert.deepEqual(kept("8 - -"), [1], "what the node can never give keeps nothing");
  assert.deepEqual(kept("2 - h100"), [1]);
});

Deno.test("freeModels() adds up over nodes, and counts nothing free where no work may go", () => {
  const group = (free: number, total = 8) => [{
    model: "H100",
    memoryBytes: 80 * GIB,
    total,
    free,
    sick: 0,
    unified: false,
  }];
  const [h100, ...others] = freeModels([
    health("gpu2", { gpuGroups: group(3) }),
    health("gpu7", { gpuGroups: group(2) }),
    health("gpu9", { gpuGroups: group(8), status: "unusable" }),
    health("dead", { status: "unreachable" }),
  ]);
  assert.deepEqual(others, []);
  assert.equal(h100?.free, 5);
  assert.equal(h100?.total, 24);
  assert.equal(h100?.mostOnOne, 3);
  assert.equal(h100?.selector, "{ gpus: 3, gpu: H100 }");
  assert.deepEqual(h100?.nodes.map(({ node, free }) => `${node} ${free}`), [
    "gpu2 3",
    "gpu7 2",
    "gpu9 0",
  ]);
});
