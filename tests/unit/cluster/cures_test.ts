import assert from "node:assert/strict";
import { deviceRemarks, toolCure } from "../../../src/cluster/cures.ts";
import { facts, gpu, node } from "./nodes.ts";

function told(
  changes: Parameters<typeof facts>[0],
  missing: Parameters<typeof deviceRemarks>[0]["missing"] = [],
) {
  return deviceRemarks({ node: node("a", { gpus: 2 }), facts: facts(changes), missing });
}

Deno.test("each thing wrong with a card has the one command that cures it", () => {
  const gpus = [
    gpu(0),
    gpu(1, { sick: "nvidia-smi says GPU is lost" }),
    gpu(2, { sick: "2 uncorrected ECC errors" }),
    gpu(3, { sick: "2 uncorrected ECC errors" }),
    gpu(4, { maker: "amd", sick: "1 uncorrected ECC errors", ownIndex: 0 }),
    gpu(5, { sick: "this account may not open /dev/kfd" }),
  ];
  assert.deepEqual(told({ gpus }).map(({ words, cure }) => `${words} → ${cure}`), [
    "GPU 1: nvidia-smi says GPU is lost → sudo reboot",
    "GPU 2: 2 uncorrected ECC errors → sudo nvidia-smi --gpu-reset -i 2",
    "GPU 3: 2 uncorrected ECC errors → sudo nvidia-smi --gpu-reset -i 3",
    "GPU 4: 1 uncorrected ECC errors → sudo amd-smi reset --gpureset --gpu 0",
    'GPU 5: this account may not open /dev/kfd → sudo usermod -aG render,video "$USER"',
  ]);
});

Deno.test("what a tool says is cured by its words, and nothing is cured by waiting", () => {
  const words: Record<string, string> = {
    "Failed to initialize NVML: Driver/library version mismatch": "sudo reboot",
    "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.":
      "sudo modprobe nvidia",
    "nvidia-smi did not answer in time": "sudo nvidia-smi -pm 1",
    "the GPU tool of an earlier probe still hangs (process 4711)":
      "sudo kill -9 4711 || sudo reboot",
    "a GPU of AMD is there, but not amd-smi": "sudo apt install amd-smi",
    'this account may not open /dev/kfd: sudo usermod -aG render,video "$USER"':
      'sudo usermod -aG render,video "$USER"',
  };
  for (const [problem, cure] of Object.entries(words)) assert.equal(toolCure(problem), cure);
  assert.equal(toolCure("something new"), undefined);
  const [remark] = told({ gpus: [], gpuTool: "failed", gpuProblem: Object.keys(words).at(-1) });
  assert.equal(remark?.words, "this account may not open /dev/kfd");
  for (const cure of Object.values(words)) assert.doesNotMatch(cure, /wait/);
});

Deno.test("a card that is gone is named, and one that never was is counted", () => {
  const missing = [{ uuid: "GPU-9", name: "H100", index: 1, seenAt: 0 }];
  assert.match(
    told({ gpus: [gpu(0)] }, missing)[0]?.words ?? "",
    /gone: H100 GPU-9 \(it was GPU 1\)/,
  );
  assert.deepEqual(told({ gpus: [gpu(0)] }).map(({ words }) => words), [
    "it should lend 2 GPUs and shows 1",
  ]);
  assert.deepEqual(told({ gpus: [gpu(0), gpu(1)] }), []);
});
