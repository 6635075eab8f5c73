import { basename } from "node:path";
import type { JsonValue } from "../core/json.ts";
import { diagnostic, inFileOrder } from "../document/check.ts";
import { type Diagnostic, DiagnosticsError } from "../document/diagnostic.ts";
import type { Blueprint } from "./blueprint.ts";
import { type CheckedFile, HOOK_MOMENTS } from "./checked_file.ts";
import { evaluateValue } from "./evaluate.ts";
import { expandInstance, plainStep } from "./expand.ts";
import type { Expansion, Instance } from "./instance.ts";
import { NOTHING_INHERITED } from "./inherit.ts";
import { type GivenInputs, resolveInputs } from "./input_values.ts";
import { Loader } from "./loader.ts";
import type { HookMoment, Pipeline, SecretSource, Step } from "./pipeline.ts";

export interface LoadOptions extends GivenInputs {
  /** The pipeline file, as the user wrote it. */
  readonly file: string;
  /** The project folder. */
  readonly project: string;
  /** False for `grid validate`, which has no values for required inputs. */
  readonly requireInputs?: boolean | undefined;
  /** Configured nodes; names in the file are checked against them. */
  readonly nodeNames?: readonly string[] | undefined;
}

export interface Loaded {
  readonly pipeline: Pipeline;
  readonly warnings: readonly Diagnostic[];
}

/**
 * Reads a pipeline file with its templates, checks everything that can be checked before a run, and
 * expands it.
 *
 * @throws {DiagnosticsError} with every mistake of the files and of the inputs at once
 * @throws {GridError} `usage` if the file cannot be read
 */
export async function loadPipeline(options: LoadOptions): Promise<Loaded> {
  const loader = new Loader({ nodeNames: options.nodeNames });
  const main = await loader.main(options.file);
  const { diagnostics } = loader;
  if (main === undefined) throw new DiagnosticsError("pipeline-invalid", inFileOrder(diagnostics));
  const given = await resolveInputs(main, options);
  failOn(diagnostics, given.diagnostics);
  const pipeline = expand(main, given.values);
  failOn(main.reader.diagnostics, []);
  const all = [...new Set([...diagnostics, ...given.diagnostics, ...main.reader.diagnostics])];
  return { pipeline, warnings: inFileOrder(all) };
}

/** Mistakes of the file go before those of the inputs. */
function failOn(ofFile: readonly Diagnostic[], ofInputs: readonly Diagnostic[]): void {
  const isError = ({ severity }: Diagnostic) => severity === "error";
  const code = ofFile.some(isError) ? "pipeline-invalid" : "input-invalid";
  const errors = [...ofFile, ...ofInputs].filter(isError);
  if (errors.length > 0) throw new DiagnosticsError(code, inFileOrder(errors));
}

function expand(main: CheckedFile, inputs: Readonly<Record<string, JsonValue>>): Pipeline {
  const instance: Instance = {
    file: main,
    prefix: "",
    scope: "",
    group: undefined,
    inherited: NOTHING_INHERITED,
    axisList: (step, axis) => axisList(step, axis, { main, inputs }),
  };
  const into: Expansion = { steps: [], scopes: { "": { parent: undefined, inputs } } };
  expandInstance(instance, into);
  return deepFreeze({
    name: main.file.name ?? basename(main.path).replace(/\.ya?ml$/, ""),
    description: main.file.description,
    file: main.path,
    inputs,
    scopes: into.scopes,
    secrets: secretsOf(main),
    concurrency: main.concurrency,
    steps: into.steps,
    hooks: hookSteps(main, instance),
    outputs: main.outputs,
  });
}

function hookSteps(
  main: CheckedFile,
  instance: Instance,
): Readonly<Record<HookMoment, readonly Step[]>> {
  const steps = (moment: HookMoment) =>
    main.hooks[moment].map((blueprint) => plainStep(blueprint, instance));
  const [success, failure, exit] = HOOK_MOMENTS.map(steps);
  return { success: success ?? [], failure: failure ?? [], exit: exit ?? [] };
}

/** The main file's own, then those that templates declare; the outer declaration of a name wins. */
function secretsOf(file: CheckedFile): SecretSource[] {
  const found = new Map<string, SecretSource>();
  const collect = (from: CheckedFile) => {
    for (const secret of from.secrets) if (!found.has(secret.name)) found.set(secret.name, secret);
    for (const template of from.templates.values()) collect(template);
  };
  collect(file);
  return [...found.values()];
}

/** An axis written as an expression over the inputs, known before the run. */
function axisList(
  step: Blueprint,
  axis: string,
  { main, inputs }: {
    readonly main: CheckedFile;
    readonly inputs: Readonly<Record<string, JsonValue>>;
  },
): readonly JsonValue[] | undefined {
  if (step.matrix === undefined) return undefined;
  const { reader } = main;
  const spot = reader.source.valueSpot(step.matrix, axis);
  const report = (message: string) =>
    main.reader.diagnostics.push(
      diagnostic({
        rule: "bad-axis",
        spot,
        message,
        hint: "an axis is a list, or an expression over inputs that gives one",
      }),
    );
  const text = reader.text(step.matrix, axis);
  try {
    const value = evaluateValue(text, {
      inputs,
      steps: {},
      matrix: undefined,
      env: {},
      run: { id: "", pipeline: main.file.name ?? "" },
      attempt: 1,
      status: { success: true, failure: false, cancelled: false },
      hashFiles: () => "",
    });
    if (Array.isArray(value)) return value;
    report(`the axis "${axis}" is no list`);
  } catch (error) {
    report(`the axis "${axis}" cannot be known before the run: ${(error as Error).message}`);
  }
  return undefined;
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
  return value;
}
