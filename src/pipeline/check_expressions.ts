import { type CheckedFile, HOOK_MOMENTS } from "./checked_file.ts";
import { loadCel } from "./expression.ts";
import { CEL_TYPES } from "./inputs.ts";
import { axisNames } from "./matrix.ts";
import { checkExpression, type Names } from "./names.ts";
import { KIND_OUTPUTS } from "./step_kinds.ts";
import type { ExpressionUse } from "./text_reader.ts";

/** Expressions outside of any step. */
export interface FileUses {
  readonly fileUses: readonly ExpressionUse[];
  readonly concurrencyUses: readonly ExpressionUse[];
  readonly outputUses: readonly ExpressionUse[];
}

/** Checks the names and types of every expression, where there is one. */
export async function checkExpressions(checked: CheckedFile, uses: FileUses): Promise<void> {
  const { graph, hooks, templates, reader } = checked;
  const hookSteps = HOOK_MOMENTS.flatMap((moment) => hooks[moment]);
  const ofSteps = [...graph.byId.values(), ...hookSteps].map((step) => step.uses);
  if ([...Object.values(uses), ...ofSteps].every((list) => list.length === 0)) return;
  const { checkEnvironment } = await loadCel();
  const inputTypes = typesOf(checked);
  const ids = new Set(graph.byId.keys());
  const outside: Names = {
    inputs: inputTypes && new Set(Object.keys(inputTypes)),
    types: checkEnvironment(inputTypes),
    steps: new Set(),
    self: undefined,
    isAncestor: () => false,
    hasCells: (id) => graph.byId.get(id)?.matrix !== undefined,
    outputsOf: (id) => {
      const template = templates.get(id);
      if (template) return new Set(Object.keys(template.outputs));
      const step = graph.byId.get(id);
      const always = step?.kind && KIND_OUTPUTS[step.kind];
      return always && new Set([...always, ...step.outputs.map(({ name }) => name)]);
    },
    matrix: undefined,
  };
  const everyStep: Names = { ...outside, steps: ids, isAncestor: () => true };
  const check = (list: readonly ExpressionUse[], names: Names) => {
    for (const use of list) checkExpression(use, names, reader);
  };
  check(uses.fileUses, outside);
  check(uses.concurrencyUses, outside);
  check(uses.outputUses, everyStep);
  for (const step of graph.byId.values()) {
    check(step.uses, {
      ...outside,
      steps: ids,
      self: step.id,
      isAncestor: (id) => graph.isAncestor(id, step.id),
      matrix: axisNames(step.matrix),
    });
  }
  for (const step of hookSteps) check(step.uses, { ...everyStep, self: step.id });
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
