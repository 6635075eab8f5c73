import { GridError } from "../core/errors.ts";
import { setOwn } from "../core/own.ts";
import { diagnostic } from "../document/shape/check.ts";
import { parseExpression } from "../expression/expression.ts";
import { axisList } from "./matrix/axis.ts";
import type { WrittenStep } from "./written_step.ts";
import { Carrier } from "./inherit.ts";
import type { Expansion, Instance } from "./instance.ts";
import { axisNames, expandMatrix } from "./matrix/matrix.ts";
import { warnOfPartialAxes } from "./matrix/partial_axes.ts";
import { gangNode } from "./read_gang.ts";
import { chosenBy } from "./check/node_check.ts";
import type { Action, GroupAction, NodeRequest, Step } from "./pipeline.ts";
import { retryOf, timeoutOf } from "./policy.ts";
import { rulesOf, templateInputs } from "./template/template_inputs.ts";
import type { MatrixEntry } from "./schema.ts";
import type { Text } from "../expression/text.ts";

/** Templates that use templates twice each double the steps with every level. */
const MAX_STEPS = 100_000;

function tooManySteps(path: string): GridError {
  return new GridError({
    code: "pipeline-invalid",
    message: `Cannot expand ${path}: its templates and matrices make more than ${MAX_STEPS} steps`,
    hint: "use fewer templates inside templates, or a smaller matrix",
  });
}

/** Adds the steps of a file, matrices and templates unrolled, in an order that can be run. */
export function expandInstance(instance: Instance, into: Expansion): void {
  for (const step of instance.file.graph.order) {
    if (into.steps.length > MAX_STEPS) throw tooManySteps(instance.file.path);
    expandStep(step, instance, into);
  }
}

function expandStep(written: WrittenStep, instance: Instance, into: Expansion): void {
  const step = plainStep(written, instance);
  if (written.matrix === undefined) return place(written, { step, instance, into });
  const cells = expandMatrix(written, {
    reader: instance.file.reader,
    report: (mistake) => into.diagnostics.push(diagnostic(mistake)),
    listOf: (axis) => axisList(written, axis, { instance, into }),
  });
  into.diagnostics.push(...warnOfPartialAxes(written, cells));
  // A condition on the values of a cell is the cell's own, any other opens or closes the whole.
  const isPerCell = step.condition?.parts.some((part) =>
    part.kind === "expression" &&
    (/\bmatrix\b/.test(part.source) || asksTwins(part.source, written, instance))
  ) ?? false;
  const members: string[] = [];
  for (const cell of cells) {
    const id = `${step.id}[${cell.name}]`;
    members.push(id);
    const condition = isPerCell ? step.condition : undefined;
    const own = {
      ...step,
      id,
      condition,
      needs: [],
      after: [],
      matrix: cell.values,
      group: step.id,
    };
    place(written, { step: own, instance, into });
  }
  into.steps.push({
    ...step,
    condition: isPerCell ? undefined : step.condition,
    action: group("matrix", members, {
      maxParallel: written.matrix["max-parallel"],
      failFast: written.matrix["fail-fast"] ?? false,
    }),
  });
}

/** To a cell, a step with the same matrix is the cell with the same values. */
function asksTwins(source: string, { matrix }: WrittenStep, { file }: Instance): boolean {
  const axes = shownAxes(matrix);
  return parseExpression(source).references.some(({ root, path: [step, field] }) => {
    if (root.name !== "steps" || step === undefined || field?.name === "matrix") return false;
    const other = file.graph.byId.get(step.name)?.matrix;
    return other !== undefined && shownAxes(other) === axes;
  });
}

function shownAxes(matrix: MatrixEntry | undefined): string {
  return [...axisNames(matrix) ?? []].toSorted().join();
}

interface Placing {
  readonly step: Step;
  readonly instance: Instance;
  readonly into: Expansion;
}

/** Adds a step as it is, or the steps of the template that it uses and the group that joins them. */
function place(written: WrittenStep, { step, instance, into }: Placing): void {
  if (written.kind !== "uses") {
    into.steps.push(step);
    const { action } = step;
    if (action.kind === "fetch") {
      into.fetches.push({ step: { ...step, action }, written, reader: instance.file.reader });
    }
    return;
  }
  const template = instance.file.templates.get(written.id);
  if (template === undefined) return;
  const carrier = new Carrier(instance, step, written);
  const inputs = templateInputs(written, template);
  setOwn(into.scopes, step.id, {
    parent: instance.scope,
    inputs: { ...inputs, ...carrier.inputs },
    rules: rulesOf(inputs, template),
  });
  const first = into.steps.length;
  expandInstance({
    file: template,
    prefix: `${step.id}/`,
    scope: step.id,
    group: step.id,
    inherited: carrier.inherited,
  }, into);
  const members = into.steps.slice(first).filter((member) => member.group === step.id);
  into.steps.push({
    ...step,
    action: {
      ...group("template", members.map((member) => member.id), {
        maxParallel: undefined,
        failFast: false,
      }),
      outputs: template.outputs,
    },
  });
}

/** A hook, or the only step of the template that it uses, in the hook's place. */
export function hookStep(
  written: WrittenStep,
  { instance, into }: { readonly instance: Instance; readonly into: Expansion },
): Step {
  const step = plainStep(written, instance);
  const template = instance.file.templates.get(written.id);
  const [only] = template?.graph.order ?? [];
  if (template === undefined || only === undefined) return step;
  const carrier = new Carrier(instance, step, written);
  const inputs = templateInputs(written, template);
  setOwn(into.scopes, step.id, {
    parent: instance.scope,
    inputs: { ...inputs, ...carrier.inputs },
    rules: rulesOf(inputs, template),
  });
  const { id, needs, after } = step;
  const { inherited } = carrier;
  const inside = { file: template, prefix: "", scope: id, group: undefined, inherited };
  return { ...plainStep(only, inside), id, needs, after };
}

function group(
  of: "matrix" | "template",
  members: readonly string[],
  limits: Pick<GroupAction<Text>, "maxParallel" | "failFast">,
): GroupAction<Text> {
  return { kind: "group", of, members, ...limits, outputs: {} };
}

/** The step of a blueprint under its full name, with every default applied. */
export function plainStep(written: WrittenStep, instance: Instance): Step {
  const { file, prefix, scope, inherited } = instance;
  const { entry } = written;
  const { defaults } = file.file;
  const full = (
    edges: WrittenStep["needs"],
  ) => [...new Set(edges.map(({ name }) => prefix + name))];
  return {
    id: prefix + written.id,
    place: written.place,
    needs: full(written.needs),
    after: full(written.after),
    condition: written.condition,
    action: written.action ?? NO_ACTION,
    node: nodeOf(written, instance),
    env: { ...file.env, ...inherited.env, ...written.env },
    secrets: [...new Set([...inherited.secrets, ...written.secrets.map(({ name }) => name)])],
    timeout: timeoutOf(written.timeout, timeoutOf(defaults?.timeout, inherited.timeout)),
    retry: retryOf(written.retry, retryOf(defaults?.retry, inherited.retry)),
    outputs: written.outputs,
    workingDirectory: written.workingDirectory ?? file.defaultFolder ??
      inherited.workingDirectory,
    shell: entry.shell ?? defaults?.shell ?? inherited.shell,
    ...beforeOf(written, instance),
    detach: entry.detach ?? inherited.detach,
    ...((entry["visible-gpus"] === undefined
      ? inherited.seesAllGpus
      : entry["visible-gpus"] === "all") && { seesAllGpus: true }),
    allowFailure: entry["allow-failure"] ?? false,
    cache: written.cache ?? inherited.cache,
    ...inputsOf(written, instance),
    scope,
    matrix: undefined,
    group: instance.group,
  };
}

function beforeOf(written: WrittenStep, { file, inherited }: Instance): Pick<Step, "before"> {
  const before = written.before ?? file.defaultBefore ?? inherited.before ?? [];
  return before.length > 0 ? { before } : {};
}

function inputsOf(written: WrittenStep, { inherited }: Instance): Pick<Step, "inputs"> {
  const inputs = written.inputs.length > 0 ? written.inputs : inherited.inputs ?? [];
  return inputs.length > 0 ? { inputs } : {};
}

/** Stands in a `uses` step until its group takes the place. */
const NO_ACTION: Action<Text> = {
  kind: "group",
  of: "template",
  members: [],
  maxParallel: undefined,
  failFast: false,
  outputs: {},
};

function nodeOf(written: WrittenStep, instance: Instance): NodeRequest<Text> {
  const { file, prefix, inherited } = instance;
  const { kind } = written;
  if (kind === "sync" || kind === "data" || kind === "select-node") return { kind: "best" };
  const { nodes } = written.entry;
  if (nodes !== undefined) {
    return gangNode(nodes, written.node ?? file.defaultNode ?? inherited.node);
  }
  if (written.node !== undefined) return written.node;
  if (written.hook !== undefined) return file.defaultNode ?? inherited.node;
  const [chosen] = chosenBy(written, file);
  if (file.defaultNode !== undefined) return file.defaultNode;
  return chosen === undefined ? inherited.node : { kind: "chosen-by", step: prefix + chosen.id };
}
