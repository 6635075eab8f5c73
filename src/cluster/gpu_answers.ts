/** What `gpu_probe.sh` says of a node's devices: the tools' answers, and what the kernel knows. */
import { own } from "../core/own.ts";
import type { Ask, Kernel, ToolAnswer, ToolFacts } from "./gpu_answer.ts";
import { amdGpus, rocmGpus } from "./gpu_amd.ts";
import { intelGpus } from "./gpu_intel.ts";
import { nvidiaGpus } from "./gpu_nvidia.ts";
import type { GpuFacts, GpuMaker, NodeFacts } from "./node.ts";

const READERS: Readonly<
  Record<string, {
    readonly maker: GpuMaker;
    readonly read: (ask: Ask, kernel: Kernel) => ToolFacts;
  }>
> = {
  "nvidia-smi": { maker: "nvidia", read: nvidiaGpus },
  "amd-smi": { maker: "amd", read: amdGpus },
  "rocm-smi": { maker: "amd", read: rocmGpus },
  "xpu-smi": { maker: "intel", read: intelGpus },
};

/** Of `timeout`: https://www.gnu.org/software/coreutils/timeout */
const TIMED_OUT = 124;
/** What to install for a maker whose devices are there without it. */
const TOOL_OF: Readonly<Record<string, string>> = { nvidia: "nvidia-smi", amd: "amd-smi" };

export function devicesOf(
  lines: readonly string[],
  memory: Kernel["memory"],
): Pick<NodeFacts, "gpus" | "gpuTool" | "gpuProblem"> {
  const kernel = kernelOf(lines, memory);
  const tools = toolsIn(lines);
  const found = tools.map((tool) => ({ tool, facts: factsOf(tool, kernel) }));
  const gpus = found.flatMap(({ facts }) => facts.gpus);
  // Where a second tool of the same maker knows better, the first one's complaint is of no use.
  const isAnswered = (maker: string) => gpus.some((gpu) => gpu.maker === maker);
  const problems = [
    ...found.flatMap(({ tool, facts: { problem, gpus } }) =>
      problem !== undefined && (gpus.length > 0 || !isAnswered(makerOf(tool))) ? [problem] : []
    ),
    ...missingTools(kernel, tools),
  ];
  const gpuProblem = problems.length === 0 ? undefined : [...new Set(problems)].join("; ");
  const named = found.find(({ facts }) => facts.gpus.length > 0)?.tool.name;
  const gpuTool = named ?? (gpuProblem === undefined ? "none" : "failed");
  return { gpus: inOneOrder(gpus), gpuTool: gpuTool as NodeFacts["gpuTool"], gpuProblem };
}

/** Cards of several makers count from 0 each; one index names one card of a node. */
function inOneOrder(gpus: readonly GpuFacts[]): GpuFacts[] {
  const indices = new Set(gpus.map(({ index }) => index));
  return indices.size === gpus.length
    ? gpus.toSorted((a, b) => a.index - b.index)
    : gpus.map((gpu, index) => ({ ...gpu, index, ownIndex: gpu.index }));
}

interface Tool {
  readonly name: string;
  readonly queries: readonly (readonly [question: string, answer: ToolAnswer])[];
  readonly timedOut: boolean;
  /** Process of an earlier look that still hangs. */
  readonly hung: string | undefined;
}

function makerOf({ name }: Tool): string {
  return own(READERS, name)?.maker ?? name;
}

function factsOf(tool: Tool, kernel: Kernel): ToolFacts {
  const { name, hung, timedOut, queries } = tool;
  const failed = (problem: string) => ({ gpus: [], problem });
  if (hung !== undefined) {
    return failed(`the GPU tool of an earlier probe still hangs (process ${hung})`);
  }
  const reader = own(READERS, name);
  if (reader === undefined) return { gpus: [], problem: undefined };
  const answers = (question: string) =>
    queries.filter(([asked]) => asked === question).map(([, answer]) => answer);
  const facts = reader.read(answers, kernel);
  const slow = timedOut || queries.some(([, { exit }]) => exit === TIMED_OUT);
  if (!slow) return facts;
  const problem = `${name} did not answer in time`;
  return facts.gpus.length === 0 ? failed(problem) : { ...facts, problem };
}

/** Devices without any tool that could speak for them. */
function missingTools({ makers }: Kernel, tools: readonly Tool[]): string[] {
  return [...makers].flatMap((maker) => {
    const tool = TOOL_OF[maker];
    if (tool === undefined || tools.some((tool) => makerOf(tool) === maker)) return [];
    return [`a GPU of ${maker === "amd" ? "AMD" : "NVIDIA"} is there, but not ${tool}`];
  });
}

function kernelOf(lines: readonly string[], memory: Kernel["memory"]): Kernel {
  const values = (name: string) =>
    lines.filter((line) => line.startsWith(`@${name} `)).map((line) => line.slice(name.length + 2));
  const nodes = values("kfd-node").map((line) => line.split(" ").map(Number));
  return {
    makers: new Set(values("gpu-bus")),
    denied: values("gpu-denied")[0],
    kfdBytes: new Map(nodes.map(([node = Number.NaN, bytes = 0]) => [node, bytes])),
    memory,
  };
}

/** The tools' own lines, by question; the last line of each is its exit code. */
function toolsIn(lines: readonly string[]): Tool[] {
  const tools: { name: string; lines: string[] }[] = [];
  for (const line of lines) {
    if (line.startsWith("@gpu-tool ")) tools.push({ name: line.slice(10), lines: [] });
    else if (line.startsWith("@gpu")) tools.at(-1)?.lines.push(line);
  }
  return tools.map(({ name, lines }) => ({
    name,
    queries: queriesIn(lines),
    timedOut: lines.includes("@gpu-timeout"),
    hung: lines.find((line) => line.startsWith("@gpu-hung "))?.slice(10),
  }));
}

function queriesIn(lines: readonly string[]): Tool["queries"] {
  const queries: [string, string[]][] = [];
  for (const line of lines) {
    if (line.startsWith("@gpu-query ")) queries.push([line.slice(11), []]);
    else if (line.startsWith("@gpu ")) queries.at(-1)?.[1].push(line.slice(5));
  }
  return queries.map(([question, own]) => {
    const exit = /^exit (\d+)$/.exec(own.at(-1) ?? "")?.[1];
    return [
      question,
      exit === undefined
        ? { lines: own, exit: undefined }
        : { lines: own.slice(0, -1), exit: Number(exit) },
    ];
  });
}
