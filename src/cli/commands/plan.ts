import type { Command } from "../command_line/command.ts";
import { GridError } from "../../core/errors.ts";
import { lazy } from "../../core/lazy.ts";
import type { Forecast } from "../../engine/resume/preview.ts";
import type { Pipeline } from "../../pipeline/pipeline.ts";
import { type PlannedHook, plannedHooks, type PlannedStep, planOf } from "../../pipeline/plan.ts";
import type { Finding } from "../../steps/preflight/finding.ts";
import type { CommandContext } from "../command_module.ts";
import { collect } from "../option_values.ts";
import { readPipeline } from "../pipeline_file.ts";
import {
  earlierOf,
  falseConditionsOf,
  type ForecastFlags,
  forecastsOf,
  withInputsOf,
} from "../plan_forecast.ts";
import { readSettings, type Settings } from "../settings.ts";

interface PlanFlags extends ForecastFlags {
  readonly check?: true;
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
  const earlier = await earlierOf(flags, context);
  const pipeline = await readPipeline(file, {
    flags: earlier ? withInputsOf(earlier, flags) : flags,
    context,
  });
  const forecasts = await forecastsOf(pipeline, { flags, context, earlier });
  const checked = flags.check ? await check(pipeline, { flags, context }) : NOT_CHECKED;
  const falseCondition = await falseConditionsOf(pipeline, context);
  const steps = planOf(pipeline, { falseCondition }).map((step) =>
    step.skipped === undefined ? { ...step, ...forecasts.get(step.id) } : step
  );
  const hooks = plannedHooks(pipeline, { falseCondition });
  const print = { context, settings, findings: checked.findings };
  await (settings.json ? printJson : printTables)(pipeline, { steps, hooks, ...print });
  return checked.exitCode;
}

function fromAlone(step: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot plan --from ${step}: without --resume a run does every step`,
    hint: "add --resume last, or the id of another run",
  });
}

interface Checked {
  readonly findings: readonly Finding[];
  readonly exitCode: number;
}

const NOT_CHECKED: Checked = { findings: [], exitCode: 0 };

async function check(pipeline: Pipeline, { flags, context }: Invocation): Promise<Checked> {
  const [{ openSession }, { preflight }, { preflightExitCode }] = await Promise.all([
    lazy<typeof import("../session.ts")>("../session.ts", import.meta.url),
    lazy<typeof import("../../steps/preflight/preflight.ts")>(
      "../../steps/preflight/preflight.ts",
      import.meta.url,
    ),
    lazy<typeof import("../../steps/preflight/finding.ts")>(
      "../../steps/preflight/finding.ts",
      import.meta.url,
    ),
  ]);
  await using session = await openSession(flags, context);
  const { grid, signal } = session;
  const findings = await preflight(pipeline, {
    cluster: grid.cluster,
    weights: grid.config.health,
    ray: grid.config.ray,
    project: grid.project,
    env: context.env,
    signal,
  });
  return { findings, exitCode: preflightExitCode(findings) };
}

interface PrintOptions {
  readonly steps: readonly (PlannedStep & Partial<Forecast>)[];
  readonly hooks: readonly PlannedHook[];
  readonly findings: readonly Finding[];
  readonly context: CommandContext;
  readonly settings: Settings;
}

function printJson({ name, inputs }: Pipeline, options: PrintOptions): void {
  const { steps, hooks, findings, context } = options;
  context.stdout(JSON.stringify({ name, inputs, steps, hooks, findings }, null, 2) + "\n");
}

async function printTables(
  pipeline: Pipeline,
  { steps, hooks, findings, context, settings }: PrintOptions,
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
    remark: reason === undefined ? undefined : `${will}: ${reason}`,
  }));
  const { stdout: color } = settings.color;
  const width = context.columns("stdout");
  context.stdout(renderPlan({ steps: rows, hooks }, { color, width }));
  if (findings.length > 0) context.stdout("\n" + renderFindings(findings, { color, width }));
}
