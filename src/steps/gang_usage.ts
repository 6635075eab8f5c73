/** What the ranks of a gang used, as one. Pure. */
import type { Usage } from "../core/usage.ts";

/**
 * Processor time of all together; the memory, and its course over time, of the one that held the most, for nodes
 * are what memory is short on; undefined where nobody knows anything.
 */
export function gangUsage(usages: readonly Usage[]): Usage | undefined {
  const [first] = usages;
  if (first === undefined) return undefined;
  const numbers = (of: (usage: Usage) => number | undefined) =>
    usages.flatMap((usage) => of(usage) ?? []);
  const total = (key: "cpuMs" | "userMs" | "systemMs") => {
    const all = numbers((usage) => usage[key]);
    return all.length === 0 ? {} : { [key]: all.reduce((sum, each) => sum + each, 0) };
  };
  const most = (key: "peakBytes" | "gpuPeakBytes") => {
    const all = numbers((usage) => usage[key]);
    return all.length === 0 ? {} : { [key]: Math.max(...all) };
  };
  const loads = numbers(({ gpuLoad }) => gpuLoad);
  const largest = usages.reduce((one, other) =>
    (other.peakBytes ?? 0) > (one.peakBytes ?? 0) ? other : one
  );
  return {
    ...total("cpuMs"),
    ...total("userMs"),
    ...total("systemMs"),
    ...most("peakBytes"),
    ...most("gpuPeakBytes"),
    ...(loads.length > 0 && {
      gpuLoad: Math.round(loads.reduce((sum, load) => sum + load, 0) / loads.length),
    }),
    ...(largest.samples && { samples: largest.samples }),
  };
}
