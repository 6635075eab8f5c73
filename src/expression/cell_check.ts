import { suggest } from "../document/shape/check.ts";
import type { ItemReference, Named, Problem, Reference } from "./expression_parts.ts";
import type { Names } from "./names.ts";

const CELL_FIELDS = ["params", "status", "outputs", "node"];

interface PathOfStep {
  readonly step: Named;
  readonly path: readonly Named[];
}

/** `steps.sweep.matrix`, which is a list: it has no fields of its own. */
export function checkCells({ step, path }: PathOfStep, names: Names): readonly Problem[] {
  const [, , field, name] = path;
  if (field === undefined) return [];
  if (!names.hasCells(step.name)) return [noMatrix(step)];
  const what = CELL_FIELDS.includes(field.name) ? field.name : "outputs";
  const inner = what === "status" || what === "node" ? "" : `.${name?.name ?? "x"}`;
  return [{
    rule: "matrix-outputs",
    at: field,
    message: `steps.${step.name}.matrix is a list, one entry per cell`,
    hint: `write steps.${step.name}.matrix.map(c, c.${what}${inner})`,
  }];
}

/** Whether the step, to the cell that asks, is the cell with the same values. */
export function isSameMatrix(step: string, { axesOf, matrix }: Names): boolean {
  const axes = axesOf(step);
  if (axes === undefined || matrix === undefined) return false;
  return axes.size === matrix.size && [...axes].every((axis) => matrix.has(axis));
}

/** `c.params.lr`, where `c` goes through the cells of a matrix. */
export function checkItem(item: ItemReference, names: Names): readonly Problem[] {
  const step = stepOfCells(item.list);
  const [field, param] = item.path;
  if (step === undefined || field === undefined || !names.steps.has(step.name)) return [];
  if (!names.hasCells(step.name)) return [noMatrix(step)];
  if (!CELL_FIELDS.includes(field.name)) {
    const hint = field.name === "state"
      ? "write status"
      : suggest(field.name, CELL_FIELDS, "names");
    const message = `unknown field of a cell "${field.name}"`;
    return [{ rule: "unknown-field", at: field, message, hint }];
  }
  const axes = names.axesOf(step.name);
  if (field.name !== "params" || param === undefined || axes === undefined) return [];
  if (item.optional || axes.has(param.name)) return [];
  return [{
    rule: "unknown-axis",
    at: param,
    message: `unknown axis "${param.name}"`,
    hint: suggest(param.name, [...axes], "axes"),
  }];
}

/** The step whose cells a list consists of. */
export function stepOfCells({ root, path }: Reference): Named | undefined {
  const [step, field, ...more] = path;
  const isCells = root.name === "steps" && field?.name === "matrix" && more.length === 0;
  return isCells ? step : undefined;
}

function noMatrix(step: Named): Problem {
  const message = `step "${step.name}" has no matrix`;
  const hint = `write steps.${step.name}.outputs`;
  return { rule: "unknown-field", at: step, message, hint };
}
