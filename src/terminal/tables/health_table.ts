/** `grid health`: one row per node, best first, with the reason below a row that is not well. */
import { createPaint, type Paint } from "../style.ts";
import type { Column } from "./columns.ts";
import {
  ageWords,
  barCell,
  cardsCell,
  gigabytes,
  type Glyphs,
  glyphs,
  gpuGroupWords,
  looksCell,
  shortSize,
  UNKNOWN,
} from "./health_cells.ts";
import { remarksOf } from "./health_remarks.ts";
import type { HealthFacts, HealthRow } from "./health_row.ts";
import { renderTable, type TableRow } from "./table.ts";

export interface HealthTableOptions {
  readonly color: boolean;
  readonly width: number;
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** Say how the score came about, and show every GPU. */
  readonly explain?: boolean;
  /** The terminal draws no blocks. */
  readonly isDumb?: boolean;
}

/** From so many columns on there is room for sizes and single cards. */
const WIDE = 110;
const RANKS = { ok: 0, unusable: 1, unreachable: 2 } as const;

function columnsFor(width: number): readonly Column[] {
  return [
    { title: "NODE", shrinkTo: 8, fit: "pasted" },
    { title: "STATUS" },
    { title: "SCORE", align: "right" },
    { title: "CPU" },
    { title: "MEMORY", align: width < WIDE ? "right" : "left" },
    { title: "GPU", shrinkTo: 14, fit: "words" },
    { title: "AGE", align: "right" },
    { title: "LOOKS", isOptional: true },
    ...(width < WIDE ? [] : [{ title: "DISK", align: "right", isOptional: true } as const]),
  ];
}

export function renderHealth(rows: readonly HealthRow[], options: HealthTableOptions): string {
  const paint = createPaint(options.color);
  const sorted = rows.toSorted((a, b) =>
    RANKS[a.status] - RANKS[b.status] || (a.score ?? 0) - (b.score ?? 0)
  );
  const signs = glyphs(options.isDumb ?? false);
  const lines = sharersOnce(sorted).map((row) =>
    tableRow(row, { ...options, paint, glyphs: signs })
  );
  return renderTable(columnsFor(options.width), lines, { width: options.width, paint });
}

/** The first of those that share a home names the others; a thousand would name a thousand each. */
function sharersOnce(rows: readonly HealthRow[]): HealthRow[] {
  const named = new Set<string>();
  return rows.map((row) => {
    if (named.has(row.node)) return { ...row, sharesWith: [] };
    for (const name of row.sharesWith ?? []) named.add(name);
    return row;
  });
}

interface RowOptions extends HealthTableOptions {
  readonly paint: Paint;
  readonly glyphs: Glyphs;
}

function tableRow(row: HealthRow, options: RowOptions): TableRow {
  const { now, glyphs, width } = options;
  const isWide = width >= WIDE;
  const { facts } = row;
  return {
    cells: [
      row.node,
      statusWord(row, options),
      scoreWords(row, glyphs),
      facts ? barCell(row.cpuPercent, glyphs, barWidth(isWide)) : glyphs.none,
      memoryWords(facts, { glyphs, isWide }),
      gpuWords(row, { glyphs, isWide }),
      ageWords(now - row.at),
      looksCell(row.looks ?? [], glyphs),
      diskWords(facts, glyphs),
    ],
    below: remarksOf(row, options),
  };
}

function statusWord({ status, facts }: HealthRow, { paint }: RowOptions): string {
  if (status === "unusable" && facts?.drains?.length) return paint.yellow("drained");
  const hues = { ok: paint.green, unusable: paint.yellow, unreachable: paint.red };
  return hues[status](status);
}

/** The measured score, and beside it what was placed there and cannot be measured yet. */
function scoreWords({ score, placed }: HealthRow, { none }: Glyphs): string {
  if (score === undefined) return none;
  return placed < 1 ? score.toFixed(1) : `${score.toFixed(0)} +${placed.toFixed(0)}`;
}

function barWidth(isWide: boolean): number {
  return isWide ? 5 : 4;
}

interface CellOptions {
  readonly glyphs: Glyphs;
  readonly isWide: boolean;
}

function memoryWords(facts: HealthFacts | undefined, { glyphs, isWide }: CellOptions): string {
  if (!facts) return glyphs.none;
  const { memoryAvailableBytes: free, memoryTotalBytes: total } = facts;
  if (free === undefined || total === undefined || total === 0) return UNKNOWN;
  const percent = 100 * (1 - free / total);
  if (!isWide) return `${percent.toFixed(0)}%`;
  return `${barCell(percent, glyphs, barWidth(isWide))} of ${gigabytes(total)}`;
}

/** Equal cards folded: `8× H100 80G · 5 free`; where there is room, a sign for each card's memory. */
function gpuWords(row: HealthRow, { glyphs, isWide }: CellOptions): string {
  const { facts, gpuGroups = [] } = row;
  if (!facts) return glyphs.none;
  if (facts.gpuTool === "failed") return UNKNOWN;
  if (gpuGroups.length === 0) return "none";
  const words = gpuGroups.map((group) => gpuGroupWords(group, glyphs)).join("; ");
  return isWide ? `${words} ${cardsCell(facts.gpus, glyphs)}` : words;
}

function diskWords(facts: HealthFacts | undefined, { none }: Glyphs): string {
  if (!facts) return none;
  return facts.diskFreeBytes === undefined ? UNKNOWN : `${shortSize(facts.diskFreeBytes)} free`;
}
