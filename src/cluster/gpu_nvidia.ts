/** What `nvidia-smi --query-gpu … --format=csv,noheader,nounits` prints, one GPU per line. */
import type { Ask, Kernel, ToolAnswer, ToolFacts } from "./gpu_answer.ts";
import { sliceMemory, slicesIn, withSlices } from "./gpu_slices.ts";
import type { GpuFacts, GpuProcess } from "./node.ts";

const MIB = 2 ** 20;
/** What a card that is gone says in any cell. */
const LOST = /GPU is lost|requires reset/i;
/** Words that stand where a number should. */
const BROKEN = /GPU is lost|requires reset|Unknown Error|^\[?ERR!?\]?$/i;
/** A card that the account may not see, or a field that does not exist there. */
const NOT_THERE = /^\[?(N\/A|Not Supported)\]?$/i;
/** Return values of nvidia-smi: https://docs.nvidia.com/deploy/nvidia-smi */
const NO_DEVICES = 6;
const NO_DRIVER = 9;
const NO_LIBRARY = 12;

/**
 * Questions: `first` (index, uuid, name, memory.used, memory.total, utilization.gpu, temperature.gpu),
 * `compute-apps` (gpu_uuid, pid, process_name, used_memory), `more` (index, mig.mode.current,
 * ecc.errors.uncorrected.volatile.total). Of a question that was asked twice the last answer counts.
 */
export function nvidiaGpus(
  ask: Ask,
  kernel: Kernel,
): ToolFacts {
  const first = ask("first");
  const rows = rowsOf(first.at(-1)?.lines ?? [], 7);
  const more = ask("more").at(-1);
  const extras = new Map(rowsOf(more?.lines ?? [], 3).map((row) => [row[0], row]));
  const processes = processesOf(ask("compute-apps").at(-1)?.lines ?? []);
  const isSplitUnknown = !(more?.lines ?? []).some((line) =>
    /"mig\.mode\.current" is not/.test(line)
  );
  const cards = rows.map((row) =>
    gpuOf(row, { extra: extras.get(row[0]), processes, kernel, isSplitUnknown })
  );
  const gpus = withSlices(cards, {
    slices: slicesIn(ask("slices").at(-1)?.lines ?? []),
    memory: sliceMemory(ask("slice-memory").at(-1)?.lines ?? []),
    // One that is lost, too, lends no parts.
    isSplit: ({ sick }) => sick === SPLIT,
  });
  const problem = first.map(problemIn).find((words) => words !== undefined);
  const lost = lostGpus(first[0]?.lines ?? [], cards);
  const exit = first.at(-1)?.exit;
  const isLeftOver = (exit === NO_DRIVER || exit === NO_LIBRARY) && !kernel.makers.has("nvidia");
  if (isLeftOver || (gpus.length === 0 && exit === NO_DEVICES)) {
    return { gpus: [], problem: undefined };
  }
  const silent = gpus.length === 0 && problem === undefined && exit !== 0
    ? `nvidia-smi ended with code ${exit ?? "unknown"}`
    : undefined;
  return { gpus: [...gpus, ...lost], problem: problem ?? silent };
}

/** Of a card in whose place no parts stand. */
const SPLIT = "it is split by MIG, and none of its parts is known";

interface Context {
  readonly extra: readonly string[] | undefined;
  readonly processes: ReadonlyMap<string, readonly GpuProcess[]>;
  readonly kernel: Kernel;
  /** Without an answer about it: whether the driver knows of splitting at all. */
  readonly isSplitUnknown: boolean;
}

function gpuOf(row: readonly string[], context: Context): GpuFacts {
  const [index, uuid, name, used, total, utilization, temperature] = row;
  const processes = context.processes.get(uuid ?? "") ?? [];
  const utilizationPercent = amount(utilization);
  const unified = sharedMemory([used, total], context);
  const sick = sickness(row, context.extra);
  const doubt = sick === undefined ? doubtAbout(row, context) : undefined;
  return {
    index: Number(index),
    maker: "nvidia",
    uuid: word(uuid),
    name: word(name),
    memoryUsedBytes: unified?.used ?? bytes(used),
    memoryTotalBytes: unified?.total ?? bytes(total),
    utilizationPercent,
    temperatureCelsius: amount(temperature),
    sick,
    ...(doubt !== undefined && { doubt }),
    ...(unified !== undefined && { unified: true }),
    ...(processes.length > 0 && { processes }),
  };
}

/**
 * A GPU without memory of its own (GB10, Jetson) says so instead of figures: it has the machine's.
 * One that is split says so too.
 */
function sharedMemory(
  cells: readonly (string | undefined)[],
  { extra, kernel }: Context,
): { readonly used: number; readonly total: number } | undefined {
  const { memoryTotalBytes: total, memoryAvailableBytes: available } = kernel.memory;
  if (extra?.[1] === "Enabled" || total === undefined || available === undefined) return undefined;
  const isShared = cells.every((cell) => cell !== undefined && NOT_THERE.test(cell));
  return isShared ? { used: Math.max(0, total - available), total } : undefined;
}

function sickness(
  row: readonly string[],
  extra: readonly string[] | undefined,
): string | undefined {
  const cells = [...row.slice(1), ...(extra ?? []).slice(1)];
  const broken = cells.find((cell) => LOST.test(cell)) ??
    row.slice(3).find((cell) => BROKEN.test(cell));
  if (broken !== undefined) return `nvidia-smi says ${bare(broken)}`;
  const [, mig, ecc] = extra ?? [];
  const errors = amount(ecc);
  if (errors !== undefined && errors > 0) return `${errors} uncorrected ECC errors`;
  return mig === "Enabled" ? SPLIT : undefined;
}

/** What is not known and may be bad. */
function doubtAbout(
  row: readonly string[],
  { extra, isSplitUnknown }: Context,
): string | undefined {
  const [, uuid, name] = row;
  const [, mig, ecc] = extra ?? [];
  if (BROKEN.test(uuid ?? "") || BROKEN.test(name ?? "")) return "it cannot say its own name";
  if (mig !== undefined && BROKEN.test(mig)) return "it does not say whether it is split by MIG";
  if (ecc !== undefined && BROKEN.test(ecc)) return "it does not say whether its memory has errors";
  if (extra === undefined && isSplitUnknown) return "whether it is split by MIG is not known";
  return undefined;
}

/** Cards that have no row because they have no handle any more, by their place in the numbering. */
function lostGpus(lines: readonly string[], gpus: readonly GpuFacts[]): GpuFacts[] {
  if (gpus.length === 0) return [];
  const known = new Set(gpus.map(({ index }) => index));
  const gaps = Array.from({ length: Math.max(...known) + 2 }, (_, index) => index)
    .filter((index) => !known.has(index));
  return lines.flatMap((line) => {
    const match = /device handle for GPU ?([\dA-Fa-f:.]+): (.+)$/.exec(line);
    const index = match && gaps.shift();
    if (match === null || typeof index !== "number") return [];
    const reason = match[2]?.split(/\.(?:\s|$)/)[0] ?? "";
    return [{
      index,
      maker: "nvidia" as const,
      uuid: undefined,
      name: undefined,
      memoryUsedBytes: undefined,
      memoryTotalBytes: undefined,
      utilizationPercent: undefined,
      temperatureCelsius: undefined,
      sick: `nvidia-smi says ${reason} (bus ${match[1]})`,
    }];
  });
}

function processesOf(lines: readonly string[]): ReadonlyMap<string, readonly GpuProcess[]> {
  const byGpu = new Map<string, GpuProcess[]>();
  for (const line of lines) {
    // A program's name may hold commas.
    const match = /^([^,]+), (\d+), (.*), ([^,]*)$/.exec(line);
    const [, uuid = "", pid, name = "", memory] = match ?? [];
    if (pid === undefined) continue;
    const list = byGpu.get(uuid) ?? [];
    const command = name.split("/").at(-1) ?? "";
    list.push({ pid: Number(pid), command, memoryBytes: bytes(memory?.trim()) });
    byGpu.set(uuid, list);
  }
  return byGpu;
}

/** Anything that is no row of the table is a message; warnings around good rows are kept too. */
function problemIn({ lines }: ToolAnswer): string | undefined {
  const message = lines.find((line) => line.trim() !== "" && cellsOf(line, 7) === undefined);
  // A driver without a card is no failure.
  if (message === undefined || /^No devices were found/i.test(message)) return undefined;
  const words = message.trim().slice(0, 200);
  if (/nvidia|nvml|driver|gpu|device|librar|permission/i.test(words)) return words;
  return UNREADABLE.test(words)
    ? "nvidia-smi printed what is no text"
    : `nvidia-smi printed: ${words}`;
}

/** What no tool says: control characters, and bytes that were no UTF-8. */
// deno-lint-ignore no-control-regex
const UNREADABLE = /[\x00-\x08\x0e-\x1f\x7f\ufffd]/;

function rowsOf(lines: readonly string[], width: number): string[][] {
  return lines.flatMap((line) => {
    const cells = cellsOf(line, width);
    return cells ? [cells] : [];
  });
}

function cellsOf(line: string, width: number): string[] | undefined {
  const cells = line.split(",").map((cell) => cell.trim());
  return cells.length === width && /^\d+$/.test(cells[0] ?? "") ? cells : undefined;
}

/** `[N/A]`, `[Not Supported]` and `[Insufficient Permissions]` are no numbers, and not 0. */
function amount(cell: string | undefined): number | undefined {
  return cell !== undefined && /^\d+(\.\d+)?$/.test(cell) ? Number(cell) : undefined;
}

function bytes(cell: string | undefined): number | undefined {
  const mib = amount(cell);
  return mib === undefined ? undefined : mib * MIB;
}

function word(cell: string | undefined): string | undefined {
  return cell === undefined || cell === "" || /^\[.*\]$|^N\/A$/.test(cell) ? undefined : cell;
}

function bare(cell: string): string {
  return cell.replaceAll(/[[\]]/g, "");
}
