/** One number per node, lower is better. */
import type { HealthConfig } from "./config.ts";
import { lentGpus, usedPercent } from "./gpu_choice.ts";
import type { GpuFacts, Node, NodeFacts, ScorePart } from "./node.ts";

export type Weights = Pick<HealthConfig, "cpuWeight" | "gpuWeight">;

export interface Score {
  /** `cpuWeight * cpuPercent + gpuWeight * gpuPercent`, as measured. */
  readonly score: number;
  readonly cpuPercent: number;
  readonly gpuPercent: number;
  /** How it came about, for `grid health --explain`. */
  readonly parts: readonly ScorePart[];
}

export interface ScoreOptions {
  readonly node: Node;
  readonly facts: NodeFacts;
  readonly weights: Weights;
  /** The GPUs that would be used; default all that the owner lends. */
  readonly gpus?: readonly GpuFacts[] | undefined;
}

/** What is not known counts as the worst, never as free. */
export function scoreNode({ node, facts, weights, gpus }: ScoreOptions): Score {
  const cpu = cpuLoad(facts);
  const gpu = gpuLoad(facts, gpus ?? lentGpus(node, facts.gpus));
  const parts: ScorePart[] = [
    part("cpu", { ...cpu, weight: weights.cpuWeight }),
    part("gpu", { ...gpu, weight: weights.gpuWeight }),
  ];
  return {
    score: parts.reduce((sum, { points }) => sum + points, 0),
    cpuPercent: cpu.percent,
    gpuPercent: gpu.percent,
    parts,
  };
}

interface Load {
  readonly percent: number;
  readonly words: string;
}

function cpuLoad({ load1, cores }: NodeFacts): Load {
  if (load1 === undefined || !cores) return { percent: 100, words: "load unknown" };
  const percent = Math.min(100, 100 * load1 / cores);
  const unit = cores === 1 ? "core" : "cores";
  return { percent, words: `load ${load1} on ${Number(cores.toFixed(2))} ${unit}` };
}

function gpuLoad(facts: NodeFacts, gpus: readonly GpuFacts[]): Load {
  if (facts.gpuTool === "failed") {
    return { percent: 100, words: facts.gpuProblem ?? "GPUs unknown" };
  }
  if (gpus.length === 0) return { percent: 0, words: "no GPU" };
  const unknown = gpus.filter((gpu) => gpu.memoryUsedBytes === undefined).length;
  const note = unknown === 0 ? "" : `, ${unknown} of them unknown`;
  const unit = gpus.length === 1 ? "GPU" : "GPUs";
  return { percent: usedPercent(gpus), words: `memory of ${gpus.length} ${unit}${note}` };
}

function part(name: ScorePart["name"], load: Load & { readonly weight: number }): ScorePart {
  const points = load.weight * load.percent;
  return { name, points, words: `${load.words} = ${Math.round(load.percent)} %, × ${load.weight}` };
}
