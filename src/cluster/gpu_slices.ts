/** Parts of NVIDIA cards that are split by MIG, as `nvidia-smi -L` and `nvidia-smi -q -x` tell them. */
import type { GpuFacts } from "./node.ts";

const MIB = 2 ** 20;

export interface Slice {
  /** `MIG-…`, by which CUDA knows it. */
  readonly uuid: string;
  /** `3g.20gb`. */
  readonly profile: string;
  /** Of the card. */
  readonly device: number;
}

/** By the UUID of their card. */
export function slicesIn(lines: readonly string[]): ReadonlyMap<string, readonly Slice[]> {
  const byCard = new Map<string, Slice[]>();
  let slices: Slice[] | undefined;
  for (const line of lines) {
    const card = /^GPU \d+: .*\(UUID: (GPU-[A-Za-z0-9-]+)\)/.exec(line)?.[1];
    if (card !== undefined) byCard.set(card, slices = []);
    const [, profile = "", device, uuid = ""] =
      /^\s+MIG (\S+)\s+Device\s+(\d+): \(UUID: (MIG-[A-Za-z0-9-]+)\)/.exec(line) ?? [];
    if (device !== undefined) slices?.push({ uuid, profile, device: Number(device) });
  }
  return byCard;
}

interface Memory {
  readonly total: number | undefined;
  readonly used: number | undefined;
}

/** By the UUID of the card, and the number of the part; the card's name stands behind its parts. */
export function sliceMemory(
  lines: readonly string[],
): ReadonlyMap<string, ReadonlyMap<number, Memory>> {
  const byCard = new Map<string, ReadonlyMap<number, Memory>>();
  for (const card of lines.join("\n").split(/<gpu id=/).slice(1)) {
    const uuid = /<uuid>(GPU-[A-Za-z0-9-]+)<\/uuid>/.exec(card)?.[1];
    if (uuid === undefined) continue;
    const parts = card.split("<mig_device>").slice(1).map((part) => part.split("</mig_device>")[0]);
    byCard.set(uuid, new Map(parts.flatMap((part = "") => memoryOf(part))));
  }
  return byCard;
}

function memoryOf(part: string): (readonly [number, Memory])[] {
  const index = /<index>(\d+)<\/index>/.exec(part)?.[1];
  const own = part.split("<fb_memory_usage>")[1]?.split("</fb_memory_usage>")[0] ?? "";
  if (index === undefined) return [];
  const mib = (name: string) => {
    const value = new RegExp(`<${name}>(\\d+) MiB</${name}>`).exec(own)?.[1];
    return value === undefined ? undefined : Number(value) * MIB;
  };
  return [[Number(index), { total: mib("total"), used: mib("used") }]];
}

/** The parts in the place of their card; a card without parts stays, and is not lent. */
export function withSlices(
  gpus: readonly GpuFacts[],
  found: {
    readonly slices: ReadonlyMap<string, readonly Slice[]>;
    readonly memory: ReadonlyMap<string, ReadonlyMap<number, Memory>>;
    readonly isSplit: (gpu: GpuFacts) => boolean;
  },
): GpuFacts[] {
  return gpus.flatMap((gpu) => {
    const slices = found.slices.get(gpu.uuid ?? "") ?? [];
    if (!found.isSplit(gpu) || slices.length === 0) return [gpu];
    return slices.map(({ uuid, profile, device }) => {
      const memory = found.memory.get(gpu.uuid ?? "")?.get(device);
      const { sick: _sick, doubt: _doubt, processes: _processes, ...card } = gpu;
      return {
        ...card,
        uuid,
        name: `${gpu.name ?? "NVIDIA GPU"} MIG ${profile}`,
        memoryUsedBytes: memory?.used,
        memoryTotalBytes: memory?.total,
        utilizationPercent: undefined,
        sick: undefined,
        isPartition: true as const,
        isSlice: true as const,
      };
    });
  });
}
