import type { JsonValue } from "../core/json.ts";
import { suggest } from "../document/check.ts";
import { isContainer } from "../document/source.ts";
import type { Blueprint } from "./blueprint.ts";
import { keepSpelling } from "./inputs.ts";
import type { MatrixEntry } from "./schema.ts";
import type { TextReader } from "./text_reader.ts";

/** Keys of `matrix:` that are no axes. */
const SETTINGS = ["include", "exclude", "max-parallel", "fail-fast"];
/** More cells than this are a slip of the pen. */
const MAX_CELLS = 10_000;

export interface Cell {
  /** `lr=1e-4,seed=1`, as in the id of its step. */
  readonly name: string;
  readonly values: Readonly<Record<string, JsonValue>>;
}

type Values = Record<string, JsonValue>;

/** Every name that `matrix.…` may be followed by; undefined where there is no matrix. */
export function axisNames(matrix: MatrixEntry | undefined): string[] | undefined {
  if (matrix === undefined) return undefined;
  const included = (matrix.include ?? []).flatMap((entry) => Object.keys(entry));
  return [...new Set([...axesOf(matrix), ...included])];
}

function axesOf(matrix: MatrixEntry): string[] {
  return Object.keys(matrix).filter((key) => !SETTINGS.includes(key));
}

/** Reports what is wrong with a matrix before its cells are made. */
export function checkMatrix(step: Blueprint, reader: TextReader): void {
  const { matrix } = step;
  if (matrix === undefined) return;
  const axes = axesOf(matrix);
  if (axes.length === 0 && (matrix.include ?? []).length === 0) {
    reader.report({
      rule: "empty-matrix",
      spot: reader.source.keySpot(step.entry, "matrix"),
      message: "the matrix has no axis",
      hint: "add one, such as seed: [1, 2, 3]",
    });
  }
  for (const entry of matrix.exclude ?? []) {
    for (const key of Object.keys(entry)) {
      if (axes.includes(key)) continue;
      reader.report({
        rule: "unknown-axis",
        spot: reader.source.keySpot(entry, key),
        message: `unknown axis "${key}"`,
        hint: suggest(key, axes, "axes"),
      });
    }
  }
}

export interface CellOptions {
  readonly reader: TextReader;
  /** The list that an axis written as an expression stands for; undefined where it cannot be known. */
  readonly listOf: (axis: string) => readonly JsonValue[] | undefined;
}

/** All combinations, without the excluded ones, with what `include` adds. */
export function expandMatrix(step: Blueprint, options: CellOptions): readonly Cell[] {
  const { matrix } = step;
  if (matrix === undefined) return [];
  const { reader } = options;
  const combinations = product(
    axesOf(matrix).map((axis) => [axis, axisValues(matrix, axis, options)]),
  );
  if (combinations === undefined) {
    const message = `the matrix has more than ${MAX_CELLS} cells`;
    reportMatrix(step, reader, message);
    return [];
  }
  const isLone = axesOf(matrix).length === 0;
  const excludes = listOfMaps(matrix.exclude, reader);
  const kept = isLone
    ? []
    : combinations.filter((cell) =>
      !excludes.some((entry) =>
        Object.entries(entry).every(([key, value]) => same(cell[key], value))
      )
    );
  reportIdleExcludes(step, { combinations, excludes, reader });
  const cells = include(kept, {
    entries: listOfMaps(matrix.include, reader),
    axes: axesOf(matrix),
  });
  if (cells.length === 0) reportMatrix(step, reader, "exclude: leaves no cell of the matrix");
  return named(cells, { step, reader });
}

function axisValues(matrix: MatrixEntry, axis: string, options: CellOptions): readonly JsonValue[] {
  const values = matrix[axis];
  if (!Array.isArray(values)) return options.listOf(axis) ?? [];
  return values.map((_, index) => valueAt(values, index, options.reader));
}

/** A number in a spelling of its own stays text, as it was written. */
function valueAt(container: object, key: string | number, reader: TextReader): JsonValue {
  const value = (container as Record<string | number, JsonValue>)[key] ?? null;
  return typeof value === "number" ? keepSpelling(reader.spelling(container, key)) : value;
}

function listOfMaps(entries: readonly object[] | undefined, reader: TextReader): Values[] {
  return (entries ?? []).map((entry) =>
    Object.fromEntries(Object.keys(entry).map((key) => [key, valueAt(entry, key, reader)]))
  );
}

function product(
  axes: readonly (readonly [string, readonly JsonValue[]])[],
): Values[] | undefined {
  let cells: Values[] = [{}];
  for (const [axis, values] of axes) {
    if (cells.length * values.length > MAX_CELLS) return undefined;
    cells = cells.flatMap((cell) => values.map((value) => ({ ...cell, [axis]: value })));
  }
  return cells;
}

/** As on GitHub: an entry that contradicts no axis of a cell adds to it, any other is a new cell. */
function include(
  cells: readonly Values[],
  { entries, axes }: { readonly entries: readonly Values[]; readonly axes: readonly string[] },
): Values[] {
  const result = cells.map((cell) => ({ ...cell }));
  const more: Values[] = [];
  for (const entry of entries) {
    const keys = Object.keys(entry).filter((key) => axes.includes(key));
    const fitting = result.filter((cell) => keys.every((key) => same(cell[key], entry[key])));
    if (fitting.length === 0) more.push({ ...entry });
    for (const cell of fitting) Object.assign(cell, entry);
  }
  return [...result, ...more];
}

function reportIdleExcludes(
  step: Blueprint,
  options: {
    readonly combinations: readonly Values[];
    readonly excludes: readonly Values[];
    readonly reader: TextReader;
  },
): void {
  const list = step.matrix?.exclude ?? [];
  for (const [index, entry] of options.excludes.entries()) {
    const hits = options.combinations.some((cell) =>
      Object.entries(entry).every(([key, value]) => same(cell[key], value))
    );
    if (hits) continue;
    options.reader.report({
      severity: "warning",
      rule: "idle-exclude",
      spot: options.reader.source.valueSpot(list, index),
      message: "no cell of the matrix fits this exclude",
    });
  }
}

function reportMatrix(step: Blueprint, reader: TextReader, message: string): void {
  const spot = reader.source.keySpot(step.entry, "matrix");
  reader.report({ rule: "empty-matrix", spot, message });
}

function named(
  cells: readonly Values[],
  { step, reader }: { readonly step: Blueprint; readonly reader: TextReader },
): Cell[] {
  const seen = new Set<string>();
  return cells.flatMap((values, index) => {
    const name = Object.entries(values).map(([key, value]) => `${key}=${label(value, index)}`).join(
      ",",
    );
    if (seen.has(name)) {
      reportMatrix(step, reader, `two cells of the matrix are the same: ${name}`);
      return [];
    }
    seen.add(name);
    return [{ name, values }];
  });
}

/** Maps and lists have no short name; the number of the cell stands for them. */
function label(value: JsonValue, index: number): string {
  if (isContainer(value)) return `#${index + 1}`;
  const text = String(value);
  return text.length <= 40 ? text : `${text.slice(0, 32)}…#${index + 1}`;
}

function same(a: JsonValue | undefined, b: JsonValue | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}
