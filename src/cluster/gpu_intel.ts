/** What `xpu-smi discovery --dump 1,2,6,16` prints: CSV with a header, one device per line. */
import type { Ask, ToolFacts } from "./gpu_answer.ts";
import type { GpuFacts } from "./node.ts";

/** Seen, and never lent: the tool does not say how much of a device's memory is used. */
export function intelGpus(ask: Ask): ToolFacts {
  const { lines, exit } = ask("discovery").at(-1) ?? { lines: [], exit: undefined };
  const gpus = lines.flatMap((line): GpuFacts[] => {
    const match = /^(\d+),"([^"]*)","[^"]*","([^"]*)"$/.exec(line.trim());
    return match === null ? [] : [{
      index: Number(match[1]),
      maker: "intel",
      uuid: undefined,
      name: match[2]?.slice(0, 100),
      memoryUsedBytes: undefined,
      memoryTotalBytes: undefined,
      utilizationPercent: undefined,
      temperatureCelsius: undefined,
      sick: undefined,
    }];
  });
  const words = lines.find((line) => /error|fail/i.test(line))?.trim().slice(0, 200);
  const problem = gpus.length === 0 && exit !== 0
    ? words ?? `xpu-smi ended with code ${exit}`
    : undefined;
  return { gpus, problem };
}
