/** What `amd-smi metric --json`, `amd-smi list --json` and the older `rocm-smi --json` print. */
import { own } from "../core/own.ts";
import type { Ask, Kernel, ToolFacts } from "./gpu_answer.ts";
import type { GpuFacts } from "./node.ts";

type Json = Readonly<Record<string, unknown>>;

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  KB: 2 ** 10,
  MB: 2 ** 20,
  GB: 2 ** 30,
};
/**
 * A processor's GPU has a small carve-out and works in the machine's memory (GTT); amd-smi itself counts
 * the larger pool there. Cards that compute have more memory of their own than this.
 */
const CARVE_OUT_BYTES = 4 * 2 ** 30;

/** A list of GPUs; since ROCm 7 wrapped as `{"gpu_data": […]}`. */
export function amdGpus(
  ask: Ask,
  kernel: Kernel,
): ToolFacts {
  const metric = ask("metric").at(-1);
  const lines = metric?.lines ?? [];
  const found = jsonIn(lines);
  if (found === undefined) return silent("amd-smi", { lines, kernel });
  const list = Array.isArray(found) ? found : objectAt(found)["gpu_data"];
  if (!Array.isArray(list)) return withoutGpus(objectAt(found));
  const identities = identitiesIn(ask("list").at(-1)?.lines ?? []);
  const denied = denialIn(lines) ?? kernel.denied;
  const context = { identities, kernel, denied };
  const gpus = list.map((entry, index) => amdGpu(objectAt(entry), { index, ...context }));
  const problem = denied === undefined
    ? undefined
    : `this account may not open ${denied}: sudo usermod -aG render,video "$USER"`;
  return { gpus, problem };
}

/** `{}` and groups of CPUs alone are a machine without a GPU. */
function withoutGpus(found: Json): ToolFacts {
  const error = found["error"];
  if (typeof error === "string") {
    return { gpus: [], problem: `amd-smi: ${error.slice(0, 200)}` };
  }
  const isUnknown = "gpu_data" in found;
  return { gpus: [], problem: isUnknown ? "amd-smi printed JSON of an unknown form" : undefined };
}

interface Identity {
  readonly uuid: string | undefined;
  /** As the kernel numbers it; HIP counts in this order. */
  readonly kfdNode: number | undefined;
  /** Of how many parts of one card this is one. */
  readonly partitions: number;
}

/** Who is who, by amd-smi's own number. */
function identitiesIn(lines: readonly string[]): ReadonlyMap<number, Identity> {
  const found = jsonIn(lines);
  const list = Array.isArray(found) ? found : objectAt(found)["gpu_data"];
  if (!Array.isArray(list)) return new Map();
  const entries = list.map(objectAt);
  /** Parts of a card lie at one place of the bus, but for the last digit. */
  const card = (entry: Json) => String(entry["bdf"] ?? "").replace(/\.\d+$/, "");
  return new Map(entries.flatMap((entry) => {
    const gpu = amount(entry["gpu"]);
    if (gpu === undefined) return [];
    const uuid = entry["uuid"];
    const partitions = card(entry) === ""
      ? 1
      : entries.filter((other) => card(other) === card(entry)).length;
    return [[gpu, {
      uuid: typeof uuid === "string" && /^[A-Za-z0-9-]+$/.test(uuid) ? uuid : undefined,
      kfdNode: amount(entry["node_id"]),
      partitions,
    }]];
  }));
}

interface AmdContext {
  readonly index: number;
  readonly identities: ReadonlyMap<number, Identity>;
  readonly kernel: Kernel;
  readonly denied: string | undefined;
}

function amdGpu(entry: Json, context: AmdContext): GpuFacts {
  const index = amount(entry["gpu"]) ?? context.index;
  const { identities, kernel } = context;
  const identity = identities.get(index);
  const memory = objectAt(entry["mem_usage"]);
  const temperature = objectAt(entry["temperature"]);
  const errors = amount(objectAt(entry["ecc"])["total_uncorrectable_count"]);
  const pool = largerPool(
    { used: bytes(memory["used_vram"]), total: bytes(memory["total_vram"]) },
    { used: bytes(memory["used_gtt"]), total: bytes(memory["total_gtt"]) },
  );
  const order = hipIndex(index, context);
  const part = partOf(pool.total, { index, identity, kernel });
  const sick = errors !== undefined && errors > 0
    ? `${errors} uncorrected ECC errors`
    : context.denied === undefined
    ? undefined
    : `this account may not open ${context.denied}`;
  return {
    index,
    maker: "amd",
    uuid: identity?.uuid,
    name: undefined,
    memoryUsedBytes: pool.used,
    memoryTotalBytes: part ?? pool.total,
    utilizationPercent: amount(objectAt(entry["usage"])["gfx_activity"]),
    temperatureCelsius: amount(temperature["hotspot"]) ?? amount(temperature["edge"]),
    sick,
    ...(pool.unified && { unified: true }),
    ...(part !== undefined && { isPartition: true }),
    ...(order !== undefined && order !== index && { visibleIndex: order }),
  };
}

/** HIP counts as the kernel does, amd-smi as it found them. */
function hipIndex(index: number, { identities }: AmdContext): number | undefined {
  const own = identities.get(index)?.kfdNode;
  const nodes = [...identities.values()].map(({ kfdNode }) => kfdNode);
  if (own === undefined || nodes.includes(undefined)) return undefined;
  return nodes.filter((node) => node !== undefined && node < own).length;
}

/** Memory of a part of a card, which amd-smi shows with the whole card's; undefined for a whole one. */
function partOf(
  total: number | undefined,
  { index, identity, kernel }: {
    readonly index: number;
    readonly identity: Identity | undefined;
    readonly kernel: Kernel;
  },
): number | undefined {
  if (total === undefined) return undefined;
  const nodes = [...kernel.kfdBytes.keys()].toSorted((a, b) => a - b);
  const given = kernel.kfdBytes.get(identity?.kfdNode ?? nodes[index] ?? Number.NaN);
  // The kernel keeps some for itself, but never half.
  if (given !== undefined && given > 0) return given < total / 2 ? given : undefined;
  const parts = identity?.partitions ?? 1;
  return parts > 1 ? total / parts : undefined;
}

interface Pool {
  readonly used: number | undefined;
  readonly total: number | undefined;
}

/** Memory of the GPU's own, or of a processor's GPU the machine's. */
function largerPool(own: Pool, shared: Pool): Pool & { readonly unified: boolean } {
  const { total = Number.POSITIVE_INFINITY } = own;
  const unified = total < CARVE_OUT_BYTES && shared.total !== undefined && shared.total > total;
  return { ...(unified ? shared : own), unified };
}

/** A map of cards, `{"card0": {"VRAM Total Memory (B)": "34342961152", …}}`. */
export function rocmGpus(
  ask: Ask,
  kernel: Kernel,
): ToolFacts {
  const lines = ask("metric").at(-1)?.lines ?? [];
  const found = jsonIn(lines);
  if (found === undefined) return silent("rocm-smi", { lines, kernel });
  const gpus = Object.entries(objectAt(found)).flatMap(([card, value]) => {
    const index = /^card(\d+)$/.exec(card)?.[1];
    return index === undefined ? [] : [rocmGpu(objectAt(value), Number(index))];
  });
  return {
    gpus: gpus.sort((a, b) => a.index - b.index),
    problem: undefined,
  };
}

function rocmGpu(card: Json, index: number): GpuFacts {
  const id = card["Unique ID"];
  const pool = largerPool(
    {
      used: amount(card["VRAM Total Used Memory (B)"]),
      total: amount(card["VRAM Total Memory (B)"]),
    },
    {
      used: amount(card["GTT Total Used Memory (B)"]),
      total: amount(card["GTT Total Memory (B)"]),
    },
  );
  return {
    index,
    maker: "amd",
    uuid: typeof id === "string" && /^0x/.test(id) ? id : undefined,
    name: undefined,
    memoryUsedBytes: pool.used,
    memoryTotalBytes: pool.total,
    utilizationPercent: amount(card["GPU use (%)"]),
    temperatureCelsius: amount(card["Temperature (Sensor junction) (C)"]) ??
      amount(card["Temperature (Sensor edge) (C)"]),
    sick: undefined,
    ...(pool.unified && { unified: true }),
  };
}

/** Both tools print warnings before the JSON. */
function jsonIn(lines: readonly string[]): unknown {
  const start = lines.findIndex((line) => /^\s*[[{]/.test(line));
  if (start === -1) return undefined;
  try {
    return JSON.parse(lines.slice(start).join("\n"));
  } catch {
    // Cut off or mixed with other output: no different from no answer.
    return undefined;
  }
}

/** The device that the tool says is closed to this account; it says so before the JSON. */
function denialIn(lines: readonly string[]): string | undefined {
  const start = lines.findIndex((line) => /^Permission needed to access GPU device/.test(line));
  if (start === -1) return undefined;
  return /(\/dev\/[A-Za-z0-9/]+)/.exec(lines.slice(start, start + 12).join("\n"))?.[1] ?? "the GPU";
}

/** Without JSON: a tool that was left over, or one that says why. */
function silent(
  tool: string,
  { lines, kernel }: { readonly lines: readonly string[]; readonly kernel: Kernel },
): ToolFacts {
  const message = lines.find((line) => line.trim() !== "" && !/^\s*[[{]/.test(line));
  const isDriverless = message === undefined ||
    /drivers? not (initialized|loaded)|amdgpu not found|No JSON data/i
      .test(message);
  if (isDriverless && lines.every((line) => !/^\s*[[{]/.test(line)) && !kernel.makers.has("amd")) {
    return { gpus: [], problem: undefined };
  }
  const words = message?.trim().slice(0, 200) ?? "it printed no JSON";
  return { gpus: [], problem: `${tool}: ${words}` };
}

/** `{"value": 13, "unit": "MB"}`, a plain number, or a number as text; `N/A` is none of them. */
function amount(value: unknown): number | undefined {
  const plain = typeof value === "object" ? objectAt(value)["value"] : value;
  const number = typeof plain === "string" && /^\d+(\.\d+)?$/.test(plain) ? Number(plain) : plain;
  return typeof number === "number" && Number.isFinite(number) && number >= 0 ? number : undefined;
}

function bytes(value: unknown): number | undefined {
  const size = amount(value);
  const unit = objectAt(value)["unit"];
  const factor = own(UNITS, typeof unit === "string" ? unit : "MB");
  return size === undefined || factor === undefined ? undefined : size * factor;
}

function objectAt(value: unknown): Json {
  return typeof value === "object" && value !== null ? value as Json : {};
}
