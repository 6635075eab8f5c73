/** The cells of a matrix as a table: a column for each axis and for each number they gave. */
import { formatDuration } from "../core/duration.ts";
import { ExactNumber } from "../core/exact_number.ts";
import type { JsonValue } from "../core/json.ts";
import { type AnchorOf, shortened, wide } from "./html_parts.ts";
import { escapeMarkup as text } from "./markup.ts";
import type { RunDocument, StepDocument } from "./run_document.ts";
import { aimOf } from "./sweep_aim.ts";

/** Shades of heat, from the least to the most. */
const SHADES = 6;

/** One table per matrix; empty where there is none. */
export function renderSweeps(report: RunDocument, anchorOf: AnchorOf): string {
  const cells = report.steps.filter(({ matrix }) => matrix !== null);
  const sweeps = [...Map.groupBy(cells, ({ group }) => group ?? "")]
    .filter(([, cells]) => cells.length > 1);
  return sweeps.map(([group, cells]) => {
    const head = sweeps.length > 1 ? `<h3>${text(group)}</h3>\n` : "";
    return head + wide(`Cells of ${group}`, sweepTable(cells, anchorOf));
  }).join("\n");
}

interface Column {
  readonly name: string;
  readonly kind: "axis" | "output" | "time";
  readonly values: readonly (JsonValue | undefined)[];
}

function sweepTable(cells: readonly StepDocument[], anchorOf: AnchorOf): string {
  const columns = [
    ...columnsOf(cells.map(({ matrix }) => matrix ?? {}), "axis"),
    ...columnsOf(
      cells.map(({ kind, outputs }) => kind === "ray-batch" ? withoutFile(outputs) : outputs),
      "output",
    ),
    { name: "time", kind: "time", values: cells.map(({ durationMs }) => durationMs ?? undefined) },
  ] as const;
  const looks = columns.map(lookOf);
  const heads = columns.map(({ name, kind }, at) =>
    `<th scope="col"${kind === "axis" ? "" : ' class="number"'}>${column(name)}${
      looks[at]?.hint ?? ""
    }</th>`
  );
  const rows = cells.map((cell, row) => {
    const link = `<a href="#${anchorOf(cell.id)}">${text(stateWords(cell))}</a>`;
    const values = columns.map((column, at) => looks[at]?.cell(column.values[row], row) ?? "");
    // A page that lives tells rows apart by it, in whatever order they are.
    return `<tr id="w${
      anchorOf(cell.id)
    }"><th scope="row"><i class="dot ${cell.state}"></i>${link}</th>${values.join("")}</tr>`;
  });
  return `<table class="sweep sortable"><thead><tr><th scope="col">${column("cell")}</th>${
    heads.join("")
  }</tr></thead><tbody>\n${rows.join("\n")}\n</tbody></table>`;
}

/** The script makes a button of it, with an arrow. */
function column(name: string): string {
  return `<span class="col">${text(name)}</span>`;
}

function stateWords({ state, attempts }: StepDocument): string {
  return attempts.length > 1 ? `${state}, ${attempts.length} attempts` : state;
}

function withoutFile({ file: _, ...outputs }: StepDocument["outputs"]): StepDocument["outputs"] {
  return outputs;
}

function columnsOf(
  records: readonly Readonly<Record<string, JsonValue>>[],
  kind: "axis" | "output",
): Column[] {
  const names = new Set(
    records.flatMap((record) => Object.keys(record).filter((name) => isShown(record[name], kind))),
  );
  return [...names].map((name) => ({
    name,
    kind,
    values: records.map((record) =>
      Object.hasOwn(record, name) && isShown(record[name], kind) ? record[name] : undefined
    ),
  }));
}

/** An axis may have lists; their cells differ by them. */
function isShown(value: JsonValue | undefined, kind: "axis" | "output"): boolean {
  return value !== undefined && (kind === "axis" || isScalar(value));
}

/** Numbers, words, true and false. */
export function isScalar(value: JsonValue): boolean {
  return typeof value !== "object" || value instanceof ExactNumber;
}

interface Look {
  /** Behind the name, as markup. */
  readonly hint: string;
  readonly cell: (value: JsonValue | undefined, row: number) => string;
}

function lookOf(column: Column): Look {
  const numbers = column.values.map(numberOf);
  const known = numbers.filter((number) => number !== undefined);
  const isNumeric = known.length > 0 &&
    column.values.every((value, row) => value === undefined || numbers[row] !== undefined);
  const least = known.reduce((least, one) => Math.min(least, one), Number.POSITIVE_INFINITY);
  const most = known.reduce((most, one) => Math.max(most, one), Number.NEGATIVE_INFINITY);
  const isHot = isNumeric && column.kind !== "axis" && least < most;
  const aim = column.kind === "output" ? aimOf(column.name) : undefined;
  const best = !isHot || aim === undefined ? undefined : aim === "most" ? most : least;
  return {
    hint: best === undefined
      ? ""
      : ` <small>${aim === "most" ? "higher" : "lower"} is better</small>`,
    cell: (value, row) => {
      const number = numbers[row];
      if (value === undefined) return "<td></td>";
      const shade = isHot && number !== undefined
        ? ` h${Math.min(SHADES - 1, Math.floor((number - least) / (most - least) * SHADES))}`
        : "";
      const isBest = best !== undefined && number === best;
      const shown = column.kind === "time"
        ? formatDuration(number ?? 0)
        : shortened(wordsOf(value));
      const sorted = column.kind === "time" ? ` data-v="${number}"` : "";
      const mark = isBest ? `<span class="best"><span class="unseen">best: </span>★</span> ` : "";
      return `<td class="${isNumeric ? "number" : "word"}${shade}"${sorted}>${mark}${
        text(shown)
      }</td>`;
    },
  };
}

function wordsOf(value: JsonValue): string {
  return typeof value === "object" && !(value instanceof ExactNumber)
    ? JSON.stringify(value)
    : String(value);
}

/** What a step writes into its file of outputs is text, also where it is a number. */
const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;

function numberOf(value: JsonValue | undefined): number | undefined {
  if (typeof value === "string" && !NUMBER.test(value)) return undefined;
  const number = value instanceof ExactNumber ? Number(value.text) : value;
  if (typeof number !== "number" && typeof number !== "string") return undefined;
  return Number.isFinite(Number(number)) ? Number(number) : undefined;
}
