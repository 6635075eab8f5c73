/** What is known of a run before it starts: results used again, conditions that are false. */
import { GridError } from "../core/errors.ts";
import { lazy } from "../core/lazy.ts";
import type { Forecast } from "../engine/resume/preview.ts";
import type { RunState } from "../engine/reduce.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { PlanOptions } from "../pipeline/plan.ts";
import type { CliContext } from "./context.ts";
import { inputWords } from "./option_values.ts";
import type { PipelineFlags } from "./pipeline_file.ts";

export interface ForecastFlags extends PipelineFlags {
  readonly resume?: string;
  readonly from?: string;
}

const loadForecast = () =>
  lazy<typeof import("./reused_results.ts")>("./reused_results.ts", import.meta.url);

/** The run that --resume names. */
export async function earlierOf(
  flags: ForecastFlags,
  context: CliContext,
): Promise<RunState | undefined> {
  if (flags.resume === undefined) return undefined;
  return (await loadForecast()).earlierRun(flags.resume, { flags, context });
}

/** The run's own inputs, as `grid resume` takes them. */
export function withInputsOf<Flags extends ForecastFlags>(earlier: RunState, flags: Flags): Flags {
  if (flags.inputs !== undefined) throw inputsBesideResume();
  const words = Object.entries(inputWords(earlier.inputs)).map(([name, word]) => `${name}=${word}`);
  return { ...flags, input: [...words, ...flags.input] };
}

function inputsBesideResume(): GridError {
  return new GridError({
    code: "usage",
    message: "Cannot plan --resume with --inputs: a resumed run keeps its inputs",
    hint: "change one with -i name=value",
  });
}

export interface ForecastOptions {
  readonly flags: ForecastFlags;
  readonly context: CliContext;
  /** The run that would be resumed. */
  readonly earlier: RunState | undefined;
}

/** Only where something could be used again: for --resume, and for steps with `cache:`. */
export async function forecastsOf(
  pipeline: Pipeline,
  options: ForecastOptions,
): Promise<ReadonlyMap<string, Forecast>> {
  const cached = pipeline.steps.some(({ cache }) => cache !== undefined);
  if (options.earlier === undefined && !cached) return new Map();
  return await (await loadForecast()).forecastsOf(pipeline, options);
}

/** The language is loaded only where there is a condition to judge. */
export async function falseConditionsOf(
  pipeline: Pipeline,
  { env }: CliContext,
): Promise<PlanOptions["falseCondition"]> {
  const all = [...pipeline.steps, ...Object.values(pipeline.hooks).flat()];
  if (all.every(({ condition }) => condition === undefined)) return undefined;
  const { PartialEvaluation } = await lazy<typeof import("../pipeline/partial_evaluation.ts")>(
    "../pipeline/partial_evaluation.ts",
    import.meta.url,
  );
  const evaluation = new PartialEvaluation(pipeline, { env });
  return (step) => evaluation.falseCondition(step);
}
