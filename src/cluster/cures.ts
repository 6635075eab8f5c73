/** What is wrong with a node's devices, each with the one command that cures it. */
import type { GpuFacts, MissingGpu, Node, NodeFacts, Remark } from "./node.ts";

interface Rule {
  readonly says: RegExp;
  readonly cure: (match: RegExpExecArray) => string;
}

/**
 * By the tools' own words. What only a person can judge has the command that shows it. Nothing here
 * advises to wait: waiting cures none of it.
 */
const TOOL_CURES: readonly Rule[] = [
  { says: /version mismatch/i, cure: () => "sudo reboot" },
  { says: /couldn't communicate with the NVIDIA driver/i, cure: () => "sudo modprobe nvidia" },
  { says: /couldn't find libnvidia-ml/i, cure: () => "sudo ldconfig" },
  { says: /Insufficient Permissions/i, cure: () => "ls -l /dev/nvidia*" },
  { says: /blocked by the (operating )?system/i, cure: () => "sudo dmesg | grep -i nvrm" },
  {
    says: /still hangs \(process (\d+)\)/,
    cure: ([, pid]) => `sudo kill -9 ${pid} || sudo reboot`,
  },
  { says: /nvidia-smi did not answer in time/, cure: () => "sudo nvidia-smi -pm 1" },
  { says: /: (sudo usermod .+)$/, cure: ([, command = ""]) => command },
  { says: /not nvidia-smi/, cure: () => "sudo apt install nvidia-smi" },
  { says: /not amd-smi/, cure: () => "sudo apt install amd-smi" },
  {
    says: /drivers? not (initialized|loaded)|amdgpu not found/i,
    cure: () => "sudo modprobe amdgpu",
  },
];

const CARD_CURES: readonly (Omit<Rule, "cure"> & { readonly cure: (gpu: GpuFacts) => string })[] = [
  { says: /may not open/, cure: () => 'sudo usermod -aG render,video "$USER"' },
  { says: /GPU is lost|device handle|bus [\dA-Fa-f]/i, cure: () => "sudo reboot" },
  { says: /requires? (a )?reset|uncorrected ECC/i, cure: resetOf },
  { says: /Unknown Error|ERR!/i, cure: () => "sudo reboot" },
  {
    says: /split by MIG/,
    cure: ({ index, ownIndex = index }) => `sudo nvidia-smi mig -lgip -i ${ownIndex}`,
  },
];

function resetOf({ index, maker, ownIndex = index }: GpuFacts): string {
  return maker === "amd"
    ? `sudo amd-smi reset --gpureset --gpu ${ownIndex}`
    : `sudo nvidia-smi --gpu-reset -i ${ownIndex}`;
}

/** The command for what a tool says; undefined where none is known. */
export function toolCure(problem: string): string | undefined {
  for (const { says, cure } of TOOL_CURES) {
    const match = says.exec(problem);
    if (match) return cure(match);
  }
  return undefined;
}

/** The command for what is wrong with one card. */
export function cardCure(gpu: GpuFacts): string | undefined {
  const { sick } = gpu;
  if (sick === undefined) return undefined;
  return CARD_CURES.find(({ says }) => says.test(sick))?.cure(gpu);
}

export interface RemarksOptions {
  readonly node: Node;
  readonly facts: NodeFacts;
  readonly missing: readonly MissingGpu[];
}

/** All there is to say about the devices of a node that answers. */
export function deviceRemarks({ node, facts, missing }: RemarksOptions): readonly Remark[] {
  const { gpus, gpuProblem, claimsProblem } = facts;
  const remarks: Remark[] = claimsProblem === undefined ? [] : [claimsProblem];
  if (gpuProblem !== undefined) {
    const cure = toolCure(gpuProblem);
    const words = cure === undefined ? gpuProblem : gpuProblem.replace(`: ${cure}`, "");
    remarks.push({ words, cure });
  }
  const sick = gpus.filter((gpu) => gpu.sick !== undefined);
  // A cure that names a card is that card's alone.
  for (const cards of Map.groupBy(sick, (gpu) => `${gpu.sick} ${cardCure(gpu)}`).values()) {
    const [first] = cards;
    if (first?.sick === undefined) continue;
    const unit = cards.length === 1 ? "GPU" : "GPUs";
    const words = `${unit} ${cards.map(({ index }) => index).join(", ")}: ${first.sick}`;
    remarks.push({ words, cure: cardCure(first) });
  }
  for (const { uuid, name, index } of missing) {
    const what = name === undefined ? uuid : `${name} ${uuid}`;
    remarks.push({
      words: `a GPU is gone: ${what} (it was GPU ${index})`,
      cure: "sudo dmesg | grep -i -e xid -e amdgpu",
    });
  }
  if (node.gpus !== undefined && facts.gpuTool !== "failed" && gpus.length < node.gpus) {
    const words = `it should lend ${node.gpus} GPUs and shows ${gpus.length}`;
    if (missing.length === 0) remarks.push({ words, cure: undefined });
  }
  return remarks;
}
