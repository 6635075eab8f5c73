/** What `amd-smi metric --json` and the older `rocm-smi --json` print. */
import type { GpuFacts } from "./node.ts";
import type { GpuAnswer } from "./gpu_answer.ts";

type Json = Readonly<Record<string, unknown>>;

const NOTHING_SAID = "it printed no JSON";
const UNITS: Readonly<Record<string, number>> = { B: 1, KB: 2 ** 10, MB: 2 ** 20, GB: 2 ** 30 };

/** A list of GPUs; since ROCm 7 wrapped as `{"gpu_data": […]}`. */
export function amdGpus(lines: readonly string[]): GpuAnswer {
  const found = jsonIn(lines);
  if (found === undefined) return nothing("amd-smi", lines);
  const list = Array.isArray(found) ? found : objectAt(found)["gpu_data"];
  if (!Array.isArray(list)) return { gpus: [], problem: "amd-smi printed JSON of an unknown form" };
  return { gpus: list.map((entry, index) => amdGpu(objectAt(entry), index)), problem: undefined };
}

function amdGpu(entry: Json, position: number): GpuFacts {
  const memory = objectAt(entry["mem_usage"]);
  const temperature = objectAt(entry["temperature"]);
  const errors = amount(objectAt(entry["ecc"])["total_uncorrectable_count"]);
  return {
    index: amount(entry["gpu"]) ?? position,
    uuid: undefined,
    name: undefined,
    memoryUsedBytes: bytes(memory["used_vram"]),
    memoryTotalBytes: bytes(memory["total_vram"]),
    utilizationPercent: amount(objectAt(entry["usage"])["gfx_activity"]),
    temperatureCelsius: amount(temperature["hotspot"]) ?? amount(temperature["edge"]),
    sick: errors !== undefined && errors > 0 ? `${errors} uncorrected ECC errors` : undefined,
  };
}

/** A map of cards, `{"card0": {"VRAM Total Memory (B)": "34342961152", …}}`. */
export function rocmGpus(lines: readonly string[]): GpuAnswer {
  const found = jsonIn(lines);
  if (found === undefined) return nothing("rocm-smi", lines);
  const gpus = Object.entries(objectAt(found)).flatMap(([card, value]) => {
    const index = /^card(\d+)$/.exec(card)?.[1];
    return index === undefined ? [] : [rocmGpu(objectAt(value), Number(index))];
  });
  return { gpus: gpus.sort((a, b) => a.index - b.index), problem: undefined };
}

function rocmGpu(card: Json, index: number): GpuFacts {
  const id = card["Unique ID"];
  return {
    index,
    uuid: typeof id === "string" && /^0x/.test(id) ? id : undefined,
    name: undefined,
    memoryUsedBytes: amount(card["VRAM Total Used Memory (B)"]),
    memoryTotalBytes: amount(card["VRAM Total Memory (B)"]),
    utilizationPercent: amount(card["GPU use (%)"]),
    temperatureCelsius: amount(card["Temperature (Sensor junction) (C)"]) ??
      amount(card["Temperature (Sensor edge) (C)"]),
    sick: undefined,
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

function nothing(tool: string, lines: readonly string[]): GpuAnswer {
  const message = lines.find((line) => line.trim() !== "" && !/^\s*[[{]/.test(line));
  return { gpus: [], problem: `${tool}: ${message?.trim().slice(0, 200) ?? NOTHING_SAID}` };
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
  const factor = UNITS[typeof unit === "string" ? unit : "MB"];
  return size === undefined || factor === undefined ? undefined : size * factor;
}

function objectAt(value: unknown): Json {
  return typeof value === "object" && value !== null ? value as Json : {};
}
