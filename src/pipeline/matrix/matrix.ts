import { ExactNumber } from "../../core/exact_number.ts";
import type { JsonValue } from "../../core/json.ts";
import { own } from "../../core/own.ts";
import { type Mistake, suggest } from "../../document/shape/check.ts";
import type { Spot } from "../../document/lines.ts";
import { isContainer } from "../../document/source.ts";
import type { WrittenStep } from "../written_step.ts";
import { combine, type Values } from "./cells.ts";
import { keepSpelling } from "../input/inputs.ts";
import { MATRIX_SETTINGS } from "./matrix_settings.ts";
import type { MatrixEntry } from "../schema.ts";
import type { TextReader } from "../../expression/reader.ts";

/** More cells than this are a slip of the pen. */
const MAX_CELLS = 10_000;

export interface Cell {
  /** `lr=1e-4,seed=1`, as in the id of its step. */
  readonly name: string;
  readonly values: Values;
}

/** Every name that `matrix.…` may be followed by; undefined where there is no matrix. */
export function axisNames(matrix: MatrixEntry | undefined): Set<string> | undefined {
  if (matrix === undefined) return undefined;
  const included = (matrix.include ?? []).flatMap((entry) => Object.keys(entry));
  return new Set([...axesOf(matrix), ...included]);
}

function axesOf(matrix: MatrixEntry): string[] {
  return Object.keys(matrix).filter((key) => !MATRIX_SETTINGS.includes(key));
}

/** Reports what is wrong with a matrix, as far as that can be known from the file alone. */
export function checkMatrix(
  step: WrittenStep,
  { reader, damaged }: { readonly reader: TextReader; readonly damaged: ReadonlySet<object> },
): void {
  const { matrix } = step;
  if (matrix === undefined || damaged.has(matrix)) return;
  const axes = axesOf(matrix);
  const spot = reader.source.keySpot(step.entry, "matrix");
  if (axes.length === 0 && (matrix.include ?? []).length === 0) {
    const hint = "add one, such as seed: [1, 2, 3]";
    reader.report({ rule: "empty-matrix", spot, message: "the matrix has no axis", hint });
    return;
  }
  const strangers = (matrix.exclude ?? []).flatMap((entry) =>
    Object.keys(entry).filter((key) => !axes.includes(key)).map((key) => ({ entry, key }))
  );
  for (const { entry, key } of strangers) {
    reader.report({
      rule: "unknown-axis",
      spot: reader.source.keySpot(entry, key),
      message: `unknown axis "${key}"`,
      hint: suggest(key, axes, "axes"),
    });
  }
  if (strangers.length > 0 || !axes.every((axis) => Array.isArray(matrix[axis]))) return;
  expandMatrix(step, { reader, report: (mistake) => reader.report(mistake), listOf: () => [] });
}

export interface CellOptions {
  readonly reader: TextReader;
  readonly report: (mistake: Mistake) => void;
  /** The list that an axis written as an expression stands for; undefined where it is none. */
  readonly listOf: (axis: string) => readonly JsonValue[] | undefined;
}

/** The cells of a step's matrix; what is wrong with them is reported. */
export function expandMatrix(step: WrittenStep, options: CellOptions): readonly Cell[] {
  const { matrix } = step;
  if (matrix === undefined) return [];
  const { reader, report } = options;
  const spot = reader.source.keySpot(step.entry, "matrix");
  const axes = axesOf(matrix).map((axis) => [axis, axisValues(matrix, axis, options)] as const);
  // What is wrong with an axis has been reported by whoever could not list it.
  if (axes.some(([, values]) => values === undefined)) return [];
  const { cells, idle } = combine({
    axes: axes.map(([axis, values]) => [axis, values ?? []]),
    exclude: listOfMaps(matrix.exclude, reader),
    include: listOfMaps(matrix.include, reader),
    maxCells: MAX_CELLS,
  });
  for (const index of idle) {
    const place = strangeValue(matrix, { index, reader }) ??
      reader.source.valueSpot(matrix.exclude ?? [], index);
    const message = "no cell of the matrix fits this exclude";
    report({ severity: "warning", rule: "idle-exclude", spot: place, message });
  }
  if (cells === undefined) {
    report({ rule: "large-matrix", spot, message: `the matrix has more than ${MAX_CELLS} cells` });
    return [];
  }
  if (cells.length === 0) {
    report({ rule: "empty-matrix", spot, message: "the matrix has no cell left to run" });
  }
  return named(cells, (name) => {
    const message = `two cells of the matrix are the same: ${name}`;
    const twice = repeatedValue(matrix, reader) ?? spot;
    const hint = "remove the value that stands twice";
    report({ rule: "duplicate-cell", spot: twice, message, hint });
  });
}

function axisValues(
  matrix: MatrixEntry,
  axis: string,
  { listOf, reader }: CellOptions,
): readonly JsonValue[] | undefined {
  const values = matrix[axis];
  if (!Array.isArray(values)) return listOf(axis);
  return values.map((_, index) => valueAt(values, index, reader));
}

/** A number keeps its spelling, however deep it stands. */
function valueAt(container: object, key: string | number, reader: TextReader): JsonValue {
  const value = (container as Record<string | number, JsonValue>)[key] ?? null;
  if (typeof value === "number") return keepSpelling(reader.spelling(container, key));
  if (Array.isArray(value)) return value.map((_, index) => valueAt(value, index, reader));
  if (!isContainer(value)) return value;
  return Object.fromEntries(Object.keys(value).map((name) => [name, valueAt(value, name, reader)]));
}

/** Where an exclude names a value that its axis does not have. */
function strangeValue(
  matrix: MatrixEntry,
  { index, reader }: { readonly index: number; readonly reader: TextReader },
): Spot | undefined {
  const entry = matrix.exclude?.[index] ?? {};
  const strange = Object.keys(entry).find((axis) => {
    const values = own(matrix, axis);
    if (!Array.isArray(values) || values.some(isContainer)) return false;
    const wanted = String(valueAt(entry, axis, reader));
    return !values.some((_, at) => String(valueAt(values, at, reader)) === wanted);
  });
  return strange === undefined ? undefined : reader.source.valueSpot(entry, strange);
}

/** Where an axis holds a value for the second time. */
function repeatedValue(matrix: MatrixEntry, reader: TextReader): Spot | undefined {
  for (const axis of axesOf(matrix)) {
    const values = matrix[axis];
    if (!Array.isArray(values)) continue;
    const names = values.map((_, index) => String(valueAt(values, index, reader)));
    const second = names.findIndex((name, index) => names.indexOf(name) < index);
    if (second !== -1) return reader.source.valueSpot(values, second);
  }
  return undefined;
}

function listOfMaps(entries: readonly object[] | undefined, reader: TextReader): Values[] {
  return (entries ?? []).map((entry) =>
    Object.fromEntries(Object.keys(entry).map((key) => [key, valueAt(entry, key, reader)]))
  );
}

function named(cells: readonly Values[], onTwin: (name: string) => void): Cell[] {
  const found = new Map<string, Cell>();
  for (const [index, values] of cells.entries()) {
    const name = Object.entries(values).map(([key, value]) => `${key}=${label(value, index)}`)
      .join(",");
    if (found.has(name)) onTwin(name);
    else found.set(name, { name, values });
  }
  return [...found.values()];
}

/** Maps, lists, long texts and those of several lines have no short name; the number of the cell stands for them. */
function label(value: JsonValue, index: number): string {
  if (isContainer(value) && !(value instanceof ExactNumber)) return `#${index + 1}`;
  const text = String(value);
  if (text.length <= 40 && text.search(UNFIT) < 0) return text;
  return `${text.slice(0, 32).replaceAll(UNFIT, " ").trim()}…#${index + 1}`;
}

/** Controls, ends of lines, halves of characters: no part of a name that people and addresses can hold. */
const UNFIT = /[\p{Cc}\p{Cs}\u2028\u2029]+/gu;
