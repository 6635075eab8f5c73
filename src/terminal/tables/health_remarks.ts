/** What stands below a row of `grid health`: reasons with their cures, and who holds what. */
import { foldNames } from "../../core/name_ranges.ts";
import { formatSize } from "../../core/size.ts";
import { ageWords, type Glyphs, rangeWords, UNKNOWN } from "./health_cells.ts";
import type { HealthClaim, HealthGpu, HealthRow } from "./health_row.ts";

export interface RemarkOptions {
  readonly glyphs: Glyphs;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  readonly explain?: boolean | undefined;
}

export function remarksOf(row: HealthRow, options: RemarkOptions): string[] {
  return [
    ...(row.reason === undefined ? [] : [row.reason]),
    ...(row.hint === undefined ? [] : [`hint: ${row.hint}`]),
    ...(row.remarks ?? []).flatMap(({ words, cure }) =>
      cure === undefined ? [words] : [words, `cure: ${cure}`]
    ),
    ...(row.sameAs === undefined ? [] : [`is ${row.sameAs} by another name: counted with it`]),
    ...(row.sharesWith?.length ? [`shares its workspace with ${foldNames(row.sharesWith)}`] : []),
    ...holders(row, options),
    ...keptWords(row, options),
    ...(options.explain ? explanation(row, options) : []),
  ];
}

/** `GPU 0–2: alice, step train of run 20261128-…, since 3h`, once for each who holds some. */
function holders({ facts, at }: HealthRow, { glyphs, now }: RemarkOptions): string[] {
  const gpus = facts?.gpus ?? [];
  const held = gpus.flatMap((gpu) => holdersOf(gpu, now - at).map((words) => ({ words, gpu })));
  return [...Map.groupBy(held, ({ words }) => words)].map(([words, entries]) => {
    const indices = [...new Set(entries.map(({ gpu }) => gpu.index))];
    return `GPU ${rangeWords(indices, glyphs)}: ${words}`;
  });
}

function keptWords({ keptGpus = [] }: HealthRow, { glyphs }: RemarkOptions): string[] {
  return keptGpus.length === 0
    ? []
    : [`GPU ${rangeWords(keptGpus, glyphs)}: kept for those who wait in line: grid queue`];
}

/** What the node said so long ago, as it is now. */
function holdersOf({ leases = [], processes = [] }: HealthGpu, sinceMs: number): string[] {
  if (leases.length > 0) {
    return leases.filter(({ isCovered }) => !isCovered).map((lease) => holderWords(lease, sinceMs));
  }
  const [first, ...more] = processes;
  if (first === undefined) return [];
  const memory = first.memoryBytes === undefined ? "" : `, ${formatSize(first.memoryBytes)}`;
  const others = more.length === 0 ? "" : ` and ${more.length} more`;
  return [`${first.command} (process ${first.pid}${memory})${others}`];
}

function holderWords({ holder, run, step, ageMs, lastsMs }: HealthClaim, sinceMs: number): string {
  const age = ageMs === undefined ? undefined : ageMs + Math.max(0, sinceMs);
  const left = age === undefined || lastsMs === undefined ? undefined : lastsMs - age;
  return [
    holder,
    ...(run ? [step ? `${step} of run ${run}` : `run ${run}`] : []),
    ...(age === undefined ? [] : [`for ${ageWords(age)}`]),
    ...(left === undefined ? [] : [left > 0 ? `about ${ageWords(left)} left` : "should be over"]),
  ].join(", ");
}

function explanation(
  { facts, at, parts = [], placed }: HealthRow,
  { now }: RemarkOptions,
): string[] {
  const sum = parts.map(({ name, points, words }) => `${name} ${points.toFixed(1)}: ${words}`);
  const beside = placed < 1
    ? []
    : [`placed +${placed.toFixed(1)}: given work that is not measured yet`];
  return [...sum, ...beside, ...(facts?.gpus ?? []).map((gpu) => gpuExplanation(gpu, now - at))];
}

function gpuExplanation(gpu: HealthGpu, sinceMs: number): string {
  const facts = [
    ...(gpu.name === undefined ? [] : [gpu.name]),
    `${sizeOr(gpu.memoryUsedBytes)} of ${sizeOr(gpu.memoryTotalBytes)}`,
    ...(gpu.utilizationPercent === undefined ? [] : [`${gpu.utilizationPercent}% busy`]),
    ...(gpu.temperatureCelsius === undefined ? [] : [`${gpu.temperatureCelsius}°C`]),
    ...(gpu.sick === undefined ? [] : [`sick: ${gpu.sick}`]),
    ...(gpu.doubt === undefined ? [] : [gpu.doubt]),
    ...(gpu.leases?.length ? [`held by ${holdersOf(gpu, sinceMs).join("; ")}`] : []),
  ];
  return `GPU ${gpu.index}: ${facts.join(", ")}`;
}

function sizeOr(bytes: number | undefined): string {
  return bytes === undefined ? UNKNOWN : formatSize(bytes);
}
