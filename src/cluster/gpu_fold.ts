/** Many cards in few words: how many of each model a node has, and how many of them are free. */
import { lentGpus, whyNot } from "./gpu_choice.ts";
import { keptGpus } from "./gpu_turn.ts";
import type { GpuFacts, GpuGroup, Node, NodeFacts } from "./node.ts";

/** A whole card for one job. */
const ONE = { gpus: 1, minFreeVramBytes: undefined };

/** Words of a card's name that tell nothing about the model. */
const MAKERS = /\b(NVIDIA|AMD|Intel(\(R\))?|Corporation|Advanced Micro Devices,? Inc\.?)\s*/gi;
const LINES = /\b(GeForce|Tesla|Instinct|Radeon Graphics)\b\s*/gi;
/** How it is built in, and the memory, which is shown as measured. */
const BUILD = /[-\s]?\b(SXM\d?|PCIE|PCIe|NVL|HBM\d\w?|\d+\s?GB|OAM|Graphics Device)\b/g;

/** `NVIDIA A100-SXM4-80GB` → `A100`; what a selector's `gpu:` finds in the whole name, too. */
export function gpuModel({ name, maker }: Pick<GpuFacts, "name" | "maker">): string {
  const short = (name ?? "").replaceAll(MAKERS, "").replaceAll(LINES, "").replaceAll(BUILD, "")
    .replaceAll(/\s+/g, " ").trim();
  if (short !== "") return short;
  return name?.trim() || `${MAKER_NAMES[maker]} GPU`;
}

const MAKER_NAMES = { nvidia: "NVIDIA", amd: "AMD", intel: "Intel" } as const;

/** Those that the owner lends, by model and memory, the largest first. */
export function foldGpus(node: Node, facts: NodeFacts): readonly GpuGroup[] {
  const lent = lentGpus(node, facts.gpus);
  const kept = new Set(keptGpus(node, facts));
  const kinds = Map.groupBy(lent, (gpu) => `${gpuModel(gpu)} ${sizeClass(gpu)}`);
  return [...kinds.values()].flatMap((gpus) => {
    const [first] = gpus;
    if (first === undefined) return [];
    return [{
      model: gpuModel(first),
      memoryBytes: first.memoryTotalBytes,
      total: gpus.length,
      free: facts.claimsProblem === undefined
        ? gpus.filter((gpu) => whyNot(gpu, ONE) === undefined && !kept.has(gpu)).length
        : 0,
      sick: gpus.filter(({ sick }) => sick !== undefined).length,
      unified: first.unified ?? false,
    }];
  }).toSorted((a, b) => (b.memoryBytes ?? 0) - (a.memoryBytes ?? 0));
}

/** Cards of one model differ by a few MiB that their drivers keep. */
function sizeClass({ memoryTotalBytes: bytes }: GpuFacts): string {
  return bytes === undefined ? "?" : String(Math.round(bytes / 2 ** 30));
}
