/** What `nvidia-smi --query-gpu … --format=csv,noheader,nounits` prints, one GPU per line. */
import type { GpuFacts } from "./node.ts";
import type { GpuAnswer } from "./gpu_answer.ts";

const MIB = 2 ** 20;
/** Words that stand where a broken GPU should give a number. */
const BROKEN = /GPU is lost|requires reset|Unknown Error|^\[?ERR!?\]?$/i;

/**
 * @param first index, uuid, name, memory.used, memory.total, utilization.gpu, temperature.gpu
 * @param more index, mig.mode.current, ecc.errors.uncorrected.volatile.total; empty where the driver
 * does not know them
 */
export function nvidiaGpus(first: readonly string[], more: readonly string[]): GpuAnswer {
  const extras = new Map(rows(more, 3).map((row) => [row[0], row]));
  const gpus = rows(first, 7).map((row) => gpuOf(row, extras.get(row[0])));
  return { gpus, problem: problemIn(first) };
}

function gpuOf(row: readonly string[], extra: readonly string[] | undefined): GpuFacts {
  const [index, uuid, name, used, total, utilization, temperature] = row;
  return {
    index: Number(index),
    uuid: word(uuid),
    name: word(name),
    memoryUsedBytes: bytes(used),
    memoryTotalBytes: bytes(total),
    utilizationPercent: amount(utilization),
    temperatureCelsius: amount(temperature),
    sick: sickness(row, extra),
  };
}

function sickness(
  row: readonly string[],
  extra: readonly string[] | undefined,
): string | undefined {
  const broken = row.slice(3).find((cell) => BROKEN.test(cell));
  if (broken !== undefined) return `nvidia-smi says ${broken.replaceAll(/[[\]]/g, "")}`;
  const [, mig, ecc] = extra ?? [];
  if (mig === "Enabled") return "it is split by MIG, which Grid does not lend";
  const errors = amount(ecc);
  if (errors !== undefined && errors > 0) return `${errors} uncorrected ECC errors`;
  return undefined;
}

/** Anything that is no row of the table is a message; warnings around good rows are kept too. */
function problemIn(lines: readonly string[]): string | undefined {
  const message = lines.find((line) => line.trim() !== "" && cellsOf(line, 7) === undefined);
  // A driver without a card is no failure.
  return message === undefined || /^No devices were found/i.test(message)
    ? undefined
    : message.trim().slice(0, 200);
}

function rows(lines: readonly string[], width: number): string[][] {
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
