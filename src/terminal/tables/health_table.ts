/** `grid health`: one row per node, best first, with the reason below a row that is not well. */
import { formatDuration } from "../../core/duration.ts";
import { formatSize } from "../../core/size.ts";
import { createPaint, type Paint } from "../style.ts";
import type { Column } from "./columns.ts";
import { renderTable, type TableRow } from "./table.ts";

/** What is shown of a node; the cluster's own rows have this form. */
export interface HealthRow {
  readonly node: string;
  readonly at: number;
  readonly status: "ok" | "unusable" | "unreachable";
  readonly reason: string | undefined;
  readonly hint: string | undefined;
  readonly score: number | undefined;
  readonly cpuPercent: number | undefined;
  readonly gpuPercent: number | undefined;
  /** Points of what was placed there and is not measured yet. */
  readonly placed: number;
  /** What the score is the sum of. */
  readonly parts?: readonly HealthPart[];
  readonly facts: HealthFacts | undefined;
}

export interface HealthPart {
  readonly name: string;
  readonly points: number;
  readonly words: string;
}

export interface HealthFacts {
  readonly load1: number | undefined;
  readonly cores: number | undefined;
  readonly memoryTotalBytes: number | undefined;
  readonly memoryAvailableBytes: number | undefined;
  readonly diskFreeBytes: number | undefined;
  readonly diskUsedPercent: number | undefined;
  readonly gpus: readonly HealthGpu[];
  readonly gpuTool: string;
  readonly gpuProblem: string | undefined;
}

export interface HealthGpu {
  readonly index: number;
  readonly name: string | undefined;
  readonly memoryUsedBytes: number | undefined;
  readonly memoryTotalBytes: number | undefined;
  readonly utilizationPercent: number | undefined;
  readonly temperatureCelsius: number | undefined;
  readonly sick: string | undefined;
  readonly leases?: readonly { readonly holder: string }[];
}

export interface HealthTableOptions {
  readonly color: boolean;
  readonly width: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** Say how the score came about, and show every GPU. */
  readonly explain?: boolean;
}

const COLUMNS: readonly Column[] = [
  { title: "NODE", shrinkTo: 8, fit: "pasted" },
  { title: "STATUS" },
  { title: "SCORE", align: "right" },
  { title: "CPU", align: "right" },
  { title: "MEMORY", align: "right" },
  { title: "GPU MEMORY", shrinkTo: 12, fit: "words" },
  { title: "DISK", align: "right", isOptional: true },
  { title: "AGE", align: "right", isOptional: true },
];
const UNKNOWN = "?";
const RANKS = { ok: 0, unusable: 1, unreachable: 2 } as const;

export function renderHealth(rows: readonly HealthRow[], options: HealthTableOptions): string {
  const paint = createPaint(options.color);
  const sorted = rows.toSorted((a, b) =>
    RANKS[a.status] - RANKS[b.status] || (a.score ?? 0) - (b.score ?? 0)
  );
  const lines = sorted.map((row) => tableRow(row, { ...options, paint }));
  return renderTable(COLUMNS, lines, { width: options.width, paint });
}

interface RowOptions extends HealthTableOptions {
  readonly paint: Paint;
}

function tableRow(row: HealthRow, options: RowOptions): TableRow {
  const { paint, now } = options;
  const hue = row.status === "ok"
    ? paint.green
    : row.status === "unusable"
    ? paint.yellow
    : paint.red;
  return {
    cells: [
      row.node,
      hue(row.status),
      scoreWords(row),
      percent(row.cpuPercent, row.facts),
      memoryWords(row.facts),
      gpuWords(row.facts),
      diskWords(row.facts),
      ageWords(now - row.at),
    ],
    below: remarksOf(row, options),
  };
}

function remarksOf(row: HealthRow, options: RowOptions): string[] {
  return [
    ...(row.reason === undefined ? [] : [row.reason]),
    ...(row.hint === undefined ? [] : [`hint: ${row.hint}`]),
    ...(row.status === "ok" && row.facts?.gpuProblem !== undefined ? [row.facts.gpuProblem] : []),
    ...(options.explain ? explanation(row) : []),
  ];
}

function explanation({ facts, parts = [], placed }: HealthRow): string[] {
  const sum = parts.map(({ name, points, words }) => `${name} ${points.toFixed(1)}: ${words}`);
  const beside = placed < 1
    ? []
    : [`placed +${placed.toFixed(1)}: given work that is not measured yet`];
  return [...sum, ...beside, ...(facts?.gpus ?? []).map(gpuExplanation)];
}

function gpuExplanation(gpu: HealthGpu): string {
  const facts = [
    ...(gpu.name === undefined ? [] : [gpu.name]),
    `${sizeOr(gpu.memoryUsedBytes)} of ${sizeOr(gpu.memoryTotalBytes)}`,
    ...(gpu.utilizationPercent === undefined ? [] : [`${gpu.utilizationPercent}% busy`]),
    ...(gpu.temperatureCelsius === undefined ? [] : [`${gpu.temperatureCelsius}°C`]),
    ...(gpu.sick === undefined ? [] : [`sick: ${gpu.sick}`]),
    ...(gpu.leases ?? []).map(({ holder }) => `leased by ${holder}`),
  ];
  return `GPU ${gpu.index}: ${facts.join(", ")}`;
}

/** The measured score, and beside it what was placed there and cannot be measured yet. */
function scoreWords({ score, placed }: HealthRow): string {
  if (score === undefined) return "–";
  return placed < 1 ? score.toFixed(1) : `${score.toFixed(0)} +${placed.toFixed(0)}`;
}

function percent(value: number | undefined, facts: HealthFacts | undefined): string {
  if (value !== undefined) return `${value.toFixed(0)}%`;
  return facts ? UNKNOWN : "–";
}

function memoryWords(facts: HealthFacts | undefined): string {
  if (!facts) return "–";
  const { memoryAvailableBytes: free, memoryTotalBytes: total } = facts;
  if (free === undefined || total === undefined || total === 0) return UNKNOWN;
  return `${Math.round(100 * (1 - free / total))}% of ${short(total)}`;
}

/** Used memory per GPU, all on one line: `12% 90%`, or a count where there are many. */
function gpuWords(facts: HealthFacts | undefined): string {
  if (!facts) return "–";
  if (facts.gpuTool === "failed") return UNKNOWN;
  if (facts.gpus.length === 0) return "none";
  const shares = facts.gpus.map((gpu) => {
    if (gpu.sick !== undefined) return "sick";
    const { memoryUsedBytes: used, memoryTotalBytes: total } = gpu;
    return used === undefined || !total ? UNKNOWN : `${Math.round((100 * used) / total)}%`;
  });
  return `${facts.gpus.length}× ${shares.join(" ")}`;
}

function diskWords(facts: HealthFacts | undefined): string {
  if (!facts) return "–";
  return facts.diskFreeBytes === undefined ? UNKNOWN : `${short(facts.diskFreeBytes)} free`;
}

/** Whole numbers from ten on: a table is read at a glance. */
function short(bytes: number): string {
  const [number = "", unit = ""] = formatSize(bytes).split(" ");
  const value = Number(number);
  return `${value >= 10 ? Math.round(value) : number}${
    unit === "B" ? " B" : unit.replace("iB", "")
  }`;
}

function sizeOr(bytes: number | undefined): string {
  return bytes === undefined ? UNKNOWN : formatSize(bytes);
}

function ageWords(ms: number): string {
  return ms < 1000 ? "now" : formatDuration(Math.round(ms / 1000) * 1000).replace(".0s", "s");
}
