import { formatDuration } from "./duration.ts";
import { formatSize } from "./size.ts";

/** What a command used; parts that nobody knows are absent or null. */
export interface UsedUp {
  readonly cpuMs?: number | null;
  readonly peakBytes?: number | null;
  readonly gpuPeakBytes?: number | null;
  readonly gpuLoad?: number | null;
}

/** `peak 3.1 GiB`, `cpu 4m 12s`, `gpu 81 %, 61.0 GiB`; what is not known is left out. */
export function usageWords({ cpuMs, peakBytes, gpuPeakBytes, gpuLoad }: UsedUp): string[] {
  const gpu = [
    ...(typeof gpuLoad === "number" ? [`${gpuLoad} %`] : []),
    ...(typeof gpuPeakBytes === "number" ? [formatSize(gpuPeakBytes)] : []),
  ].join(", ");
  return [
    ...(typeof peakBytes === "number" ? [`peak ${formatSize(peakBytes)}`] : []),
    ...(typeof cpuMs === "number" ? [`cpu ${formatDuration(cpuMs)}`] : []),
    ...(gpu === "" ? [] : [`gpu ${gpu}`]),
  ];
}
