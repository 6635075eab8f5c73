import type { Command } from "../command_line/command.ts";
import { GridError } from "../../core/errors.ts";
import { lazy } from "../../core/lazy.ts";
import type { Forecast } from "../../engine/resume/preview.ts";
import type { RunState } from "../../engine/state.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import { type PlannedStep, planOf } from "../../pipeline/plan.ts";
import type { Finding } from "../../steps/preflight.ts";
import type { CommandContext } from "../command_module.ts";
import { collect, inputWords } from "../option_values.ts";
import { readPipeline } from "../pipeline_file.ts";
import { type GlobalFlags, readSettings, type Settings } from "../settings.ts";

interface PlanFlags extends GlobalFlags {
  readonly input: readonly string[];
  readonly inputs?: string;
  readonly check?: true;
  readonly resume?: string;
  readonly from?: string;
}

export function define(command: Command, context: CommandContext): void {
  command
    .argument("<pipeline>", "a .yaml or .yml file")
    .option("-i, --input <name=value>", "set an input; may be repeated", {
      read: collect,
      initial: [],
    })
    .option("--inputs <file>", "read inputs from a YAML or JSON file")
    .option("--check", "also ask the nodes, and look for files, tools and secrets")
    .option("--resume <run>", "what `grid resume` of that run would use again")
    .option("--from <step>", "with --resume: repeat this step and what comes after it")
    .action<PlanFlags>(async (file, flags) => {
      context.setExitCode(await plan(file, { flags, context }));
    });
}

interface Invocation {
  readonly flags: PlanFlags;
  readonly context: CommandContext;
}

async function plan(file: string, { flags, context }: Invocation): Promise<number> {
  if (flags.from !== undefined && flags.resume === undefined) throw fromAlone(flags.from);
  const settings = readSettings(flags, context);
  const earlier = flags.resume === undefined
    ? undefined
    : (await loadForecast()).earlierRun(flags.resume, { flags, context });
  const pipeline = await readPipeline(file, {
    flags: earlier ? withInputsOf(earlier, flags) : flags,
    context,
  });
  const forecast = await forecasts(pipeline, { flags, context, earlier });
  const findings = flags.check ? await check(pipeline, { flags, context }) : [];
  const steps = planOf(pipeline).map((step) => ({ ...step, ...forecast.get(step.id) }));
  const print = { context, settings, findings };
  await (settings.json ? printJson : printTables)(pipeline, { steps, ...print });
  return findings.every(({ ok }) => ok) ? 0 : 3;
}

function fromAlone(step: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot plan --from ${step}: without --resume a run does every step`,
    hint: "add --resume last, or the id of another run",
  });
}

async function check(pipeline: Pipeline, { flags, context }: Invocation) {
  const [{ openSession }, { preflight }] = await Promise.all([
    lazy<typeof import("../session.ts")>("../session.ts", import.meta.url),
    lazy<typeof import("../../steps/preflight.ts")>("../../steps/preflight.ts", import.meta.url),
  ]);
  await using session = await openSession(flags, context);
  const { grid, signal } = session;
  return await preflight(pipeline, {
    cluster: grid.cluster,
    weights: grid.config.health,
    project: grid.project,
    env: context.env,
    signal,
  });
}

/** Only where something could be used again: for --resume, and for steps with `cache:`. */
async function forecasts(
  pipeline: Pipeline,
  { earlier, ...invocation }: Invocation & { readonly earlier: RunState | undefined },
): Promise<ReadonlyMap<string, Forecast>> {
  const cached = pipeline.steps.some(({ cache }) => cache !== undefined);
  if (!earlier && !cached) return new Map();
  const { forecastsOf } = await loadForecast();
  return await forecastsOf(pipeline, { earlier, ...invocation });
}

const loadForecast = () => lazy<typeof import("../forecast.ts")>("../forecast.ts", import.meta.url);

/** The run's own inputs, as `grid resume` takes them. */
function withInputsOf(earlier: RunState, flags: PlanFlags): PlanFlags {
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

interface PrintOptions {
  readonly steps: readonly (PlannedStep & Partial<Forecast>)[];
  readonly findings: readonly Finding[];
  readonly context: CommandContext;
  readonly settings: Settings;
}

function printJson({ name, inputs }: Pipeline, { steps, findings, context }: PrintOptions): void {
  context.stdout(JSON.stringify({ name, inputs, steps, findings }, null, 2) + "\n");
}

async function printTables(
  pipeline: Pipeline,
  { steps, findings, context, settings }: PrintOptions,
): Promise<void> {
  const [{ renderPlan }, { renderFindings }] = await Promise.all([
    lazy<typeof import("../../terminal/tables/plan_table.ts")>(
      "../../terminal/tables/plan_table.ts",
      import.meta.url,
    ),
    lazy<typeof import("../../terminal/findings.ts")>(
      "../../terminal/findings.ts",
      import.meta.url,
    ),
  ]);
  for (const [name, value] of Object.entries(pipeline.inputs)) {
    context.stdout(`${name} = ${JSON.stringify(value)}\n`);
  }
  for (const { id, warnings = [] } of settings.quiet ? [] : steps) {
    for (const warning of warnings) context.stderr(`warning: ${id}: ${warning}\n`);
  }
  const rows = steps.map(({ will, reason, ...step }) => ({
    ...step,
    remark: will === undefined ? undefined : `${will}: ${reason}`,
  }));
  const { stdout: color } = settings.color;
  context.stdout(renderPlan(rows, { color, width: context.columns() }));
  if (findings.length > 0) context.stdout("\n" + renderFindings(findings, { color }));
}
