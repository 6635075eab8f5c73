/** Values that only some cells of a matrix have, as `include:` gives them. */
import { diagnostic } from "../../document/shape/check.ts";
import type { Diagnostic } from "../../document/diagnostic.ts";
import type { WrittenStep } from "../written_step.ts";
import { parseExpression } from "../../expression/expression.ts";
import { axisNames, type Cell } from "./matrix.ts";
import type { ExpressionUse } from "../../expression/reader.ts";

/** Warns of expressions that would fail in the cells that lack what they name. */
export function warnOfPartialAxes(step: WrittenStep, cells: readonly Cell[]): Diagnostic[] {
  const lacking = new Map<string, Cell>();
  for (const axis of axisNames(step.matrix) ?? []) {
    const without = cells.find(({ values }) => !Object.hasOwn(values, axis));
    if (without !== undefined) lacking.set(axis, without);
  }
  if (lacking.size === 0) return [];
  return step.uses.flatMap((use) => partialIn(use, { step, lacking }));
}

interface Lack {
  readonly step: WrittenStep;
  /** Axes that are not everywhere, each with a cell that is without. */
  readonly lacking: ReadonlyMap<string, Cell>;
}

function partialIn(use: ExpressionUse, { step, lacking }: Lack): Diagnostic[] {
  const axes = parseExpression(use.source).references.flatMap(({ root, path, optional }) => {
    const [axis] = path;
    return root.name === "matrix" && axis ? [{ ...axis, optional }] : [];
  });
  const guarded = new Set(axes.filter(({ optional }) => optional).map(({ name }) => name));
  return axes.flatMap((axis) => {
    const cell = guarded.has(axis.name) ? undefined : lacking.get(axis.name);
    if (cell === undefined) return [];
    return [diagnostic({
      severity: "warning",
      rule: "partial-axis",
      spot: use.spot(axis),
      message: `cell ${step.id}[${cell.name}] has no "${axis.name}"`,
      hint: `write has(matrix.${axis.name}) ? matrix.${axis.name} : ""`,
    })];
  });
}
