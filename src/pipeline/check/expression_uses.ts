import type { WrittenStep } from "../written_step.ts";
import { type CheckedFile, HOOK_MOMENTS } from "../check/checked_file.ts";
import { loadCel } from "../../expression/expression.ts";
import { checkExpression } from "../../expression/expression_check.ts";
import { checkGivenTypes } from "../input/given_values.ts";
import { CEL_TYPES } from "../input/inputs.ts";
import { axisNames } from "../matrix/matrix.ts";
import type { Names } from "../../expression/names.ts";
import { type KnownNodes, NO_NODE, NodeValues } from "./node_values.ts";
import type { MatrixEntry } from "../schema.ts";
import { KIND_OUTPUTS, SERVICE_OUTPUTS } from "../step_kinds.ts";
import type { ExpressionUse, TextReader } from "../../expression/reader.ts";

/** Expressions outside of any step. */
export interface FileUses extends KnownNodes {
  readonly fileUses: readonly ExpressionUse[];
  readonly concurrencyUses: readonly ExpressionUse[];
  readonly outputUses: readonly ExpressionUse[];
}

/** Checks the names and types of every expression. */
export async function checkExpressions(checked: CheckedFile, uses: FileUses): Promise<void> {
  const { graph, hooks, templates, reader } = checked;
  const hookSteps = HOOK_MOMENTS.flatMap((moment) => hooks[moment]);
  const { checkEnvironment } = await loadCel();
  const inputTypes = typesOf(checked);
  const ids = new Set(graph.byId.keys());
  const outside: Names = {
    inputs: inputTypes && new Set(Object.keys(inputTypes)),
    types: checkEnvironment(inputTypes),
    steps: new Set(),
    withoutSteps: "move the value into the env: of the step that needs it",
    self: undefined,
    optionsOf: (name) => {
      const input = checked.inputs.get(name);
      return input?.type === "choice" && input.options.length > 0 ? input.options : undefined;
    },
    isAncestor: () => false,
    hasRanks: (id) => graph.byId.get(id)?.entry.nodes !== undefined,
    hasCells: (id) => hasMatrix(graph.byId.get(id), reader),
    axesOf: (id) => knownAxes(graph.byId.get(id)?.matrix, reader),
    declaredBy: (id) => new Set(graph.byId.get(id)?.outputs.map(({ name }) => name)),
    outputsOf: (id) => {
      const template = templates.get(id);
      if (template) return new Set(Object.keys(template.outputs));
      const step = graph.byId.get(id);
      const always = step?.entry.service !== undefined
        ? SERVICE_OUTPUTS
        : step?.kind && KIND_OUTPUTS[step.kind];
      return always && new Set([...always, ...(step?.outputs ?? []).map(({ name }) => name)]);
    },
    node: NO_NODE,
    matrix: undefined,
  };
  const nodes = new NodeValues(checked, uses);
  const everyStep: Names = { ...outside, steps: ids, isAncestor: () => true };
  const check = (list: readonly ExpressionUse[], names: Names) => {
    for (const use of list) {
      checkExpression(use, use.onNode ? names : { ...names, node: NO_NODE }, reader);
    }
  };
  check(uses.fileUses, { ...outside, node: nodes.ofFile() });
  check(uses.concurrencyUses, { ...outside, withoutSteps: "use inputs, or env" });
  check(uses.outputUses, everyStep);
  for (const step of graph.byId.values()) {
    const names: Names = {
      ...outside,
      steps: ids,
      self: step.id,
      // What is missing in it may have been the edge.
      isAncestor: (id) => step.isDamaged || graph.isAncestor(id, step.id),
      matrix: axisNames(step.matrix),
      node: nodes.of(step),
    };
    check(step.uses.filter((use) => use.wants !== "axis"), names);
    const withoutSteps = "an axis is a list, or an expression over inputs";
    const beforeRun: Names = { ...names, steps: new Set(), withoutSteps };
    check(step.uses.filter((use) => use.wants === "axis"), beforeRun);
    const template = templates.get(step.id);
    if (template) checkGivenTypes(step, { template, names, reader });
  }
  for (const step of hookSteps) {
    const names: Names = { ...everyStep, self: step.id, node: nodes.of(step) };
    check(step.uses, names);
    const template = templates.get(step.id);
    if (template) checkGivenTypes(step, { template, names, reader });
  }
}

/** A matrix that was taken out, since it is faulty, was meant nevertheless. */
function hasMatrix(step: WrittenStep | undefined, { source }: TextReader): boolean {
  return step !== undefined &&
    (step.matrix !== undefined || source.removedFrom(step.entry).has("matrix"));
}

/** The axes of a matrix of which nothing was taken out. */
function knownAxes(matrix: MatrixEntry | undefined, reader: TextReader): Set<string> | undefined {
  const isDamaged = matrix && reader.source.removedFrom(matrix).size > 0;
  return isDamaged ? undefined : axisNames(matrix);
}

/** CEL's types of the inputs; a faulty declaration may be of any, faulty declarations of anything. */
function typesOf({ inputs, file, reader }: CheckedFile): Record<string, string> | undefined {
  const { source } = reader;
  if (source.removedFrom(file).has("inputs")) return undefined;
  const faulty = file.inputs === undefined ? [] : [...source.removedFrom(file.inputs)];
  return Object.fromEntries([
    ...[...inputs.values()].map(({ name, type }) => [name, CEL_TYPES[type]]),
    ...faulty.map((name) => [String(name), "dyn"]),
  ]);
}
