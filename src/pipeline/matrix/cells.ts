import { compareDecimals, ExactNumber } from "../../core/exact_number.ts";
import type { JsonValue } from "../../core/json.ts";
import { own, setOwn } from "../../core/own.ts";

export type Values = Readonly<Record<string, JsonValue>>;

export interface CellRules {
  readonly axes: readonly (readonly [name: string, values: readonly JsonValue[]])[];
  readonly exclude: readonly Values[];
  readonly include: readonly Values[];
  readonly maxCells: number;
}

export interface Combined {
  /** Undefined where there would be more than `maxCells`. */
  readonly cells: readonly Values[] | undefined;
  /** Indexes of the excludes that fit no combination. */
  readonly idle: readonly number[];
}

/** All combinations, without the excluded ones, with what `include` adds. */
export function combine({ axes, exclude, include, maxCells }: CellRules): Combined {
  const combinations = product(axes, maxCells);
  if (combinations === undefined) return { cells: undefined, idle: [] };
  const kept = combinations.filter((cell) => !exclude.some((entry) => fits(entry, cell)));
  const idle = [...exclude.keys()].filter((index) =>
    !combinations.some((cell) => fits(exclude[index] ?? {}, cell))
  );
  const names = axes.map(([name]) => name);
  return { cells: [...withIncluded(axes.length === 0 ? [] : kept, { include, names })], idle };
}

function product(axes: CellRules["axes"], maxCells: number): Values[] | undefined {
  let cells: Values[] = [{}];
  for (const [axis, values] of axes) {
    if (cells.length * values.length > maxCells) return undefined;
    cells = cells.flatMap((cell) => values.map((value) => ({ ...cell, [axis]: value })));
  }
  return cells;
}

/** As on GitHub: an entry that contradicts no axis of a cell adds to it, any other is a new cell. */
function withIncluded(
  cells: readonly Values[],
  { include, names }: { readonly include: readonly Values[]; readonly names: readonly string[] },
): Values[] {
  const result = cells.map((cell): Record<string, JsonValue> => ({ ...cell }));
  const more: Record<string, JsonValue>[] = [];
  for (const entry of include) {
    const onAxes = Object.fromEntries(Object.entries(entry).filter(([key]) => names.includes(key)));
    const fitting = result.filter((cell) => fits(onAxes, cell));
    if (fitting.length === 0) more.push({ ...entry });
    for (const cell of fitting) {
      // What is on an axis is the same value there already, spelled as the axis has it.
      for (const [name, value] of Object.entries(entry)) {
        if (!names.includes(name)) setOwn(cell, name, value);
      }
    }
  }
  return [...result, ...more];
}

function fits(entry: Values, cell: Values): boolean {
  return Object.entries(entry).every(([key, value]) => same(own(cell, key), value));
}

/** `1e-4` and `0.0001` are the same value, however they are spelt. */
function same(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  if (JSON.stringify(a) === JSON.stringify(b)) return true;
  return isNumeric(a) && isNumeric(b) && compareDecimals(String(a), String(b)) === 0;
}

function isNumeric(value: JsonValue | undefined): boolean {
  if (typeof value === "number" || value instanceof ExactNumber) return true;
  return typeof value === "string" && value.trim() !== "" && Number.isFinite(Number(value));
}
