import { nearest } from "../core/did_you_mean.ts";
import { own } from "../core/own.ts";
import { checkCells, isSameMatrix } from "./cell_check.ts";
import type { Named, Problem, Reference } from "./expression_parts.ts";
import { rootHint, STEP_FIELD_HINTS } from "./foreign_names.ts";
import { FUNCTIONS } from "./functions.ts";
import { known } from "./known_name.ts";
import type { PartContext } from "./names.ts";

const STEP_FIELDS = new Set(["outputs", "state", "node", "matrix"]);
/** `ranks` of a step on many nodes. */
const RANKED_FIELDS = new Set([...STEP_FIELDS, "ranks"]);
const RUN_FIELDS = new Set(["id", "pipeline"]);

/** Whether a name means something where it stands. */
export function checkReference(reference: Reference, context: PartContext): readonly Problem[] {
  const { root, path } = reference;
  const [first] = path;
  switch (root.name) {
    case "inputs":
      if (first === undefined || context.names.inputs === undefined) return [];
      return known(first, { candidates: context.names.inputs, noun: "input", ...context });
    case "steps":
      return checkStep(reference, context);
    case "matrix":
      return checkMatrix(reference, context);
    case "run":
      if (first === undefined) return [];
      return known(first, { candidates: RUN_FIELDS, noun: "field of run", ...context });
    case "node":
      return checkNodeValue(reference, context);
    case "env":
    case "attempt":
      return [];
    default:
      return [unknownRoot(root, context)];
  }
}

function unknownRoot(root: Named, context: PartContext): Problem {
  if (Object.hasOwn(FUNCTIONS, root.name)) {
    const message = `${root.name} is a function`;
    return { rule: "unknown-name", at: root, message, hint: `write ${root.name}()` };
  }
  const message = `unknown name "${root.name}"`;
  return { rule: "unknown-name", at: root, message, hint: rootHint(root, context) };
}

function checkStep({ root, path }: Reference, context: PartContext): readonly Problem[] {
  const { names } = context;
  const [step, field, output] = path;
  if (names.steps.size === 0) {
    const message = "steps cannot be read here, before any of them has run";
    return [{ rule: "not-before", at: root, message, hint: names.withoutSteps }];
  }
  if (step === undefined) return [];
  const unknown = known(step, { candidates: names.steps, noun: "step", ...context });
  if (unknown.length > 0) return unknown;
  if (step.name === names.self) {
    const message = `step "${step.name}" cannot read its own results`;
    return [{ rule: "not-before", at: step, message }];
  }
  const problems: Problem[] = names.isAncestor(step.name) ? [] : [tooEarly(step)];
  if (field === undefined) return problems;
  if (field.name === "matrix") return [...problems, ...checkCells({ step, path }, names)];
  if (field.name === "node" && names.hasCells(step.name) && !isSameMatrix(step.name, names)) {
    return [...problems, nodeOfCells({ step, field })];
  }
  if (field.name !== "outputs") return [...problems, ...checkField({ step, field }, context)];
  return [...problems, ...checkOutput({ step, field, output }, context)];
}

function tooEarly(step: Named): Problem {
  return {
    rule: "not-before",
    at: step,
    message: `step "${step.name}" may not have ended when this one starts`,
    hint: `add needs: ${step.name}, or after: ${step.name}`,
  };
}

interface FieldOfStep {
  readonly step: Named;
  readonly field: Named;
}

function checkField({ step, field }: FieldOfStep, context: PartContext): readonly Problem[] {
  const candidates = context.names.hasRanks(step.name) ? RANKED_FIELDS : STEP_FIELDS;
  const [problem] = known(field, {
    candidates,
    noun: "field of a step",
    ...context,
  });
  if (problem === undefined) return [];
  const outputs = context.names.outputsOf(step.name) ?? context.names.declaredBy(step.name);
  const foreign = own(STEP_FIELD_HINTS, field.name);
  if (outputs.has(field.name)) {
    return [{ ...problem, hint: `write steps.${step.name}.outputs.${field.name}` }];
  }
  return [foreign === undefined ? problem : { ...problem, hint: foreign }];
}

function nodeOfCells({ step, field }: FieldOfStep): Problem {
  return {
    rule: "matrix-outputs",
    at: field,
    message: `step "${step.name}" has a matrix: each of its cells ran on a node of its own`,
    hint:
      `give this step the same matrix; to a cell, steps.${step.name}.node is that of the same cell`,
  };
}

function checkOutput(
  { step, field, output }: FieldOfStep & { readonly output: Named | undefined },
  context: PartContext,
): readonly Problem[] {
  const { names } = context;
  if (names.hasCells(step.name) && !isSameMatrix(step.name, names)) {
    return [{
      rule: "matrix-outputs",
      at: field,
      message: `step "${step.name}" has a matrix: its outputs belong to its cells`,
      hint: `write steps.${step.name}.matrix, a list with the outputs of each cell`,
    }];
  }
  if (output === undefined) return [];
  const candidates = names.outputsOf(step.name);
  if (candidates !== undefined) {
    return known(output, { candidates, noun: `output of "${step.name}"`, ...context });
  }
  const declared = names.declaredBy(step.name);
  const best = declared.has(output.name) ? undefined : nearest(output.name, declared);
  // A step may write more than it declares, so that this is only likely.
  return best === undefined || output.name.length < 3 ? [] : [{
    severity: "warning",
    rule: "unknown-output",
    at: output,
    message: `"${step.name}" declares no output "${output.name}"`,
    hint: `did you mean "${best}"?`,
  }];
}

function checkNodeValue({ root, path }: Reference, context: PartContext): readonly Problem[] {
  const { node } = context.names;
  if (!node.isChosen) {
    const message = "the node cannot be read here, before it is chosen";
    const hint = "read it in run, before, env, working-directory or container of a run step";
    return [{ rule: "not-before", at: root, message, hint }];
  }
  const [name] = path;
  if (name === undefined || node.vars === undefined) return [];
  if (node.vars.size === 0) {
    const message = `the cluster config gives no node a value "${name.name}"`;
    const hint = `add it there: vars: { ${name.name}: … }, for a node or under defaults:`;
    return [{ rule: "unknown-value", at: name, message, hint }];
  }
  const unknown = known(name, { candidates: node.vars, noun: "value of a node", ...context });
  if (unknown.length > 0) return unknown;
  const lacking = node.lacking(name.name);
  if (lacking.length === 0) return [];
  return [{
    rule: "missing-value",
    at: name,
    message: `the step may run where there is no "${name.name}": ${lacking.join(", ")}`,
    hint:
      `add vars: { ${name.name}: … } there in the cluster config, or to its defaults:; or say ` +
      "which nodes are meant",
  }];
}

function checkMatrix(reference: Reference, context: PartContext): readonly Problem[] {
  const { matrix } = context.names;
  const [axis] = reference.path;
  if (matrix === undefined) {
    const message = "matrix has no meaning here: the step has no matrix:";
    return [{ rule: "unknown-name", at: reference.root, message }];
  }
  if (axis === undefined || reference.optional) return [];
  return known(axis, { candidates: matrix, noun: "axis", ...context });
}
