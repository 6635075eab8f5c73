import { basename } from "node:path";
import type { JsonValue } from "../core/json.ts";
import { diagnostic, inFileOrder } from "../document/shape/check.ts";
import { type Diagnostic, DiagnosticsError } from "../document/diagnostic.ts";
import { type CheckedFile, HOOK_MOMENTS } from "./check/checked_file.ts";
import { fetchClashes } from "./check/fetch_clash.ts";
import { PartialEvaluation } from "./partial_evaluation.ts";
import { expandInstance, hookStep } from "./expand.ts";
import type { Expansion, Instance } from "./instance.ts";
import { NOTHING_INHERITED } from "./inherit.ts";
import { resolveInputs } from "./input/input_values.ts";
import type { LoadOptions } from "./load_options.ts";
import { Loader } from "./file_loader.ts";
import { Text } from "../expression/text.ts";
import type { HookMoment, Pipeline, SecretSource, Step } from "./pipeline.ts";

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
  const loader = new Loader(options);
  const main = await loader.main(options.file);
  const { diagnostics } = loader;
  if (main === undefined) throw new DiagnosticsError("pipeline-invalid", inFileOrder(diagnostics));
  const given = await resolveInputs(main, options);
  failOn(diagnostics, given.diagnostics);
  const expanded = expand(main, given.values, { inputsAreKnown: options.requireInputs ?? true });
  failOn(expanded.diagnostics, []);
  const warnings = [...diagnostics, ...given.diagnostics, ...expanded.diagnostics];
  return { pipeline: expanded.pipeline, warnings: inFileOrder(warnings) };
}

/** Mistakes of the file go before those of the inputs. */
function failOn(ofFile: readonly Diagnostic[], ofInputs: readonly Diagnostic[]): void {
  const isError = ({ severity }: Diagnostic) => severity === "error";
  const code = ofFile.some(isError) ? "pipeline-invalid" : "input-invalid";
  const errors = [...ofFile, ...ofInputs].filter(isError);
  if (errors.length > 0) throw new DiagnosticsError(code, inFileOrder(errors));
}

interface Expanded {
  readonly pipeline: Pipeline;
  readonly diagnostics: readonly Diagnostic[];
}

function expand(
  main: CheckedFile,
  inputs: Readonly<Record<string, JsonValue>>,
  { inputsAreKnown }: Pick<Expansion, "inputsAreKnown">,
): Expanded {
  const instance: Instance = {
    file: main,
    prefix: "",
    scope: "",
    group: undefined,
    inherited: NOTHING_INHERITED,
  };
  const into: Expansion = {
    steps: [],
    scopes: { "": { parent: undefined, inputs } },
    fetches: [],
    diagnostics: [],
    inputsAreKnown,
  };
  expandInstance(instance, into);
  const pipeline = deepFreeze({
    name: main.file.name ?? basename(main.path).replace(/\.ya?ml$/, ""),
    description: main.file.description,
    file: main.path,
    inputs,
    scopes: into.scopes,
    secrets: secretsOf(main),
    concurrency: main.concurrency,
    steps: into.steps,
    hooks: hookSteps(main, { instance, into }),
    outputs: main.outputs,
  });
  return { pipeline, diagnostics: [...into.diagnostics, ...clashesIn(pipeline, into)] };
}

/** Only cells can clash, and most pipelines fetch in none. */
function clashesIn(pipeline: Pipeline, { fetches }: Expansion): Diagnostic[] {
  const inCells = fetches.filter(({ step }) => step.group !== undefined);
  if (inCells.length < 2) return [];
  const steps = new Map(pipeline.steps.map((step) => [step.id, step]));
  const evaluation = new PartialEvaluation(pipeline, { env: {} });
  return fetchClashes(inCells, { steps, evaluation }).map(diagnostic);
}

function hookSteps(
  main: CheckedFile,
  { instance, into }: { readonly instance: Instance; readonly into: Expansion },
): Readonly<Record<HookMoment, readonly Step[]>> {
  const steps = (moment: HookMoment) =>
    main.hooks[moment].map((written) => hookStep(written, { instance, into }));
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

/** Texts and places cannot be changed anyway: their fields are read-only and nothing else holds them. */
function deepFreeze<T>(value: T): T {
  if (typeof value !== "object" || value === null || value instanceof Text) return value;
  if (Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const key in value) deepFreeze(value[key]);
  return value;
}
