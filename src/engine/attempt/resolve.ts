/** A step with every expression replaced by its value. */
import { parseJson, pythonJson } from "../../core/exact_json.ts";
import { GridError } from "../../core/errors.ts";
import { LARGEST_VALUE, sourceOf } from "../../core/filed_list.ts";
import type { JsonValue } from "../../core/json.ts";
import { own } from "../../core/own.ts";
import { evaluateText, evaluateValue, type EvaluationScope } from "../../expression/evaluate.ts";
import { evaluateScript } from "../../script/evaluate_script.ts";
import { type Gang, MOST_NODES } from "../../pipeline/gang.ts";
import type {
  Action,
  ChosenGpus,
  NodeSelector,
  OutputSource,
  RayBatchAction,
  RunAction,
  Step,
} from "../../pipeline/pipeline.ts";
import type { Text } from "../../expression/text.ts";
import type { StepRequest } from "../ports.ts";
import type { StepRecord } from "../ledger/scopes.ts";

/** What of a request follows from the file alone. */
export type Resolved = Pick<
  StepRequest,
  | "action"
  | "node"
  | "env"
  | "inFiles"
  | "values"
  | "outputs"
  | "workingDirectory"
  | "shell"
  | "before"
  | "detach"
  | "seesAllGpus"
  | "killGraceMs"
>;

export interface ResolveOptions {
  /** The scope, given the step's own variables. */
  readonly scope: (env: Readonly<Record<string, string>>) => EvaluationScope;
  /** How a step that has ended ended; by full id. */
  readonly record: (id: string) => StepRecord | undefined;
}

/** @throws {GridError} where an expression has no value */
export function resolveStep(step: Step, { scope, record }: ResolveOptions): Resolved {
  const env = mapValues(step.env, (text) => evaluate(text, scope({})));
  const inner = scope(env);
  return {
    action: resolveAction(step.action, inner),
    node: resolveNode(step, { scope: inner, record }),
    env,
    inFiles: Object.keys(step.env).filter((name) => step.env[name]?.inFile),
    ...valuesOf(step, inner),
    outputs: step.outputs.map((output) => resolveOutput(output, inner)),
    workingDirectory: step.workingDirectory && evaluate(step.workingDirectory, inner),
    shell: step.shell,
    ...(step.before && { before: step.before.map((text) => evaluateScript(text, inner)) }),
    detach: step.detach,
    ...(step.seesAllGpus && { seesAllGpus: true }),
    killGraceMs: step.timeout.killGraceMs,
  };
}

/** Only for a script that asks for them: they may be long. */
const ASKS_FOR_VALUES = /\bGRID_VALUES\b/;

/** What `$GRID_VALUES` holds: inputs, the values of the cell, and what the steps in `needs` and `after` gave. */
function valuesOf(step: Step, scope: EvaluationScope): Pick<StepRequest, "values"> {
  const { action } = step;
  if (action.kind !== "run" || !action.run.parts.some(asksForValues)) return {};
  const prefix = step.scope === "" ? "" : `${step.scope}/`;
  const before = [...step.needs, ...step.after].map((id) => id.slice(prefix.length));
  const steps = before.flatMap((id) => {
    const seen = own(scope.steps, id);
    if (seen === undefined) return [];
    const { state, node, matrix } = seen;
    const outputs = withoutLarge(seen.outputs);
    return [[id, { state, node: node ?? null, outputs, ...(matrix !== undefined && { matrix }) }]];
  });
  const values = {
    inputs: scope.inputs,
    matrix: scope.matrix ?? null,
    steps: Object.fromEntries(steps),
  };
  return { values: `${JSON.stringify(values)}\n` };
}

/** What is too large for one value has a file of its own. */
function withoutLarge(outputs: Readonly<Record<string, JsonValue>>) {
  const fits = (value: JsonValue) => (sourceOf(value)?.bytes ?? 0) <= LARGEST_VALUE;
  return Object.values(outputs).every(fits)
    ? outputs
    : Object.fromEntries(Object.entries(outputs).filter(([, value]) => fits(value)));
}

function asksForValues(part: Text["parts"][number]): boolean {
  return part.kind === "literal" && ASKS_FOR_VALUES.test(part.value);
}

/** Most texts hold no expression; those need no evaluator. */
export function evaluate(text: Text, scope: EvaluationScope): string {
  return text.constant ?? evaluateText(text, scope);
}

function resolveAction(action: Action<Text>, scope: EvaluationScope): Action<string> {
  const text = (value: Text) => evaluate(value, scope);
  const maybe = (value: Text | undefined) => value && text(value);
  switch (action.kind) {
    case "sync":
      return {
        ...action,
        from: text(action.from),
        to: action.to === "all" ? "all" : action.to.map(text),
        as: maybe(action.as),
        excludeFrom: maybe(action.excludeFrom),
        exclude: action.exclude.map(text),
        writes: action.writes.map(text),
      };
    case "data":
      return {
        ...action,
        from: text(action.from),
        to: action.to === "all" ? "all" : action.to.map(text),
        exclude: action.exclude.map(text),
      };
    case "select-node":
      return { ...action, selector: resolveSelector(action.selector, scope) };
    case "run":
      return resolveRun(action, scope);
    case "ray-batch":
      return resolveBatch(action, scope);
    case "fetch":
      return { ...action, from: action.from.map(text), to: text(action.to) };
    case "group":
      return { ...action, outputs: mapValues(action.outputs, text) };
  }
}

function resolveRun(action: RunAction<Text>, scope: EvaluationScope): RunAction<string> {
  const run = evaluateScript(action.run, scope);
  const { container, gang, ...others } = action;
  const rest = { ...others, ...(gang && { gang: { ...gang, count: countOf(gang, scope) } }) };
  if (container === undefined) return { ...rest, run };
  const text = (value: Text) => evaluate(value, scope);
  return {
    ...rest,
    run,
    container: {
      ...container,
      image: text(container.image),
      volumes: container.volumes.map(text),
      user: container.user && text(container.user),
      options: container.options.map(text),
    },
  };
}

/** @throws {GridError} `output-invalid` where it is no number of nodes */
function countOf({ count }: Gang<Text>, scope: EvaluationScope): number {
  if (typeof count === "number") return count;
  const value = evaluateText(count, scope).trim();
  if (/^\d{1,4}$/.test(value) && Number(value) >= 1 && Number(value) <= MOST_NODES) {
    return Number(value);
  }
  throw new GridError({
    code: "output-invalid",
    message: `Cannot start on many nodes: nodes: gives "${value}", ` +
      `not a whole number from 1 to ${MOST_NODES}`,
    place: count.place,
  });
}

function resolveBatch(
  action: RayBatchAction<Text>,
  scope: EvaluationScope,
): RayBatchAction<string> {
  const { target, tasks } = action;
  return {
    ...action,
    target: "call" in target
      ? { call: evaluate(target.call, scope) }
      : { command: evaluateScript(target.command, scope) },
    setup: action.setup && evaluate(action.setup, scope),
    tasks: "file" in tasks
      ? { file: evaluate(tasks.file, scope) }
      : "expression" in tasks
      ? { expression: pythonJson(taskList(tasks.expression, scope)) }
      : tasks,
  };
}

function taskList(text: Text, scope: EvaluationScope): readonly unknown[] {
  const value = evaluateValue(text, scope);
  // Outputs of commands are strings; a list printed as JSON is meant as a list.
  const list = typeof value === "string" ? parse(value) : value;
  if (Array.isArray(list)) return list;
  throw new GridError({
    code: "output-invalid",
    message: `Cannot take the tasks of a batch: the expression gives ${kindOf(value)}, not a list`,
    hint: "print the list as JSON, or use fromJSON() on a text that holds one",
    place: text.place,
  });
}

function parse(text: string): unknown {
  try {
    return parseJson(text);
  } catch {
    return undefined;
  }
}

function kindOf(value: unknown): string {
  return value === null ? "null" : `a ${typeof value === "object" ? "map" : typeof value}`;
}

function resolveNode(
  { node, scope: file }: Pick<Step, "node" | "scope">,
  { scope, record }: { readonly scope: EvaluationScope; readonly record: ResolveOptions["record"] },
): StepRequest["node"] {
  switch (node.kind) {
    case "best":
      return node;
    case "selector":
      return { kind: "selector", selector: resolveSelector(node.selector, scope) };
    case "chosen-by": {
      const chosen = record(node.step)?.outputs["node"];
      // A select-node step that was skipped chose nothing.
      if (typeof chosen !== "string") return { kind: "best" };
      return { kind: "named", name: chosen, ...gpusOf(node.step, record) };
    }
    case "named": {
      const name = evaluate(node.name, scope).trim();
      if (name !== "") {
        return { kind: "named", name, ...gpusOf(namedAfter(node.name, file), record) };
      }
      throw new GridError({
        code: "no-node",
        message: "Cannot place the step: its node: expression gives an empty name",
        hint: "check that the step which chooses the node ran before this one",
        place: node.name.place,
      });
    }
  }
}

/** What a `select-node` step asked for; commands write texts, so a number can only come from one. */
function gpusOf(
  step: string | undefined,
  record: ResolveOptions["record"],
): { readonly gpus?: ChosenGpus } {
  const count = step === undefined ? undefined : record(step)?.outputs["gpus"];
  return step !== undefined && typeof count === "number" && count > 0
    ? { gpus: { count, step } }
    : {};
}

/** The full id of the step in `${{ steps.<id>.outputs.node }}`. */
function namedAfter({ parts }: Text, file: string): string | undefined {
  const [part, ...more] = parts;
  if (part?.kind !== "expression" || more.length > 0) return undefined;
  const id = /^\s*steps\.([\w-]+)\.outputs\.node\s*$/.exec(part.source)?.[1];
  return id === undefined || file === "" ? id : `${file}/${id}`;
}

function resolveSelector(
  { model, exclude, ...selector }: NodeSelector<Text>,
  scope: EvaluationScope,
): NodeSelector<string> {
  return {
    ...selector,
    labels: selector.labels.map((label) => evaluate(label, scope)),
    among: selector.among.map((name) => evaluate(name, scope)),
    ...(model !== undefined && { model: evaluate(model, scope) }),
    ...(exclude !== undefined && { exclude: exclude.map((name) => evaluate(name, scope)) }),
  };
}

function resolveOutput(output: OutputSource<Text>, scope: EvaluationScope): OutputSource<string> {
  switch (output.from) {
    case "file":
      return { ...output, path: evaluate(output.path, scope) };
    case "stdout":
      return output;
    case "value":
      return { ...output, value: evaluate(output.value, scope) };
  }
}

function mapValues<A, B>(
  record: Readonly<Record<string, A>>,
  change: (value: A) => B,
): Record<string, B> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, change(value)]));
}
