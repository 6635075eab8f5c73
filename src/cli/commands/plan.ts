import type { Command } from "@commander-js/extra-typings";
import { loadPipeline } from "../../pipeline/load.ts";
import { planOf } from "../../pipeline/plan.ts";
import { renderPlan } from "../../terminal/tables/plan_table.ts";
import type { CommandContext } from "../command_module.ts";
import { collect, keyValues } from "../option_values.ts";
import { type GlobalFlags, readSettings } from "../settings.ts";

export function define(command: Command, context: CommandContext): void {
  command
    .argument("<pipeline>", "a .yaml or .yml file")
    .option("-i, --input <name=value>", "set an input; may be repeated", collect, [] as string[])
    .option("--inputs <file>", "read inputs from a YAML or JSON file")
    .action(async (file, flags, self) => {
      const settings = readSettings(self.optsWithGlobals() as GlobalFlags, context);
      const { pipeline } = await loadPipeline({
        file,
        project: settings.project,
        inputs: keyValues(flags.input),
        ...(flags.inputs !== undefined && { inputsFile: flags.inputs }),
        env: context.env,
      });
      const steps = planOf(pipeline);
      if (settings.json) {
        const { name, inputs } = pipeline;
        return context.stdout(JSON.stringify({ name, inputs, steps }, null, 2) + "\n");
      }
      for (const [name, value] of Object.entries(pipeline.inputs)) {
        context.stdout(`${name} = ${JSON.stringify(value)}\n`);
      }
      const { stdout: color } = settings.color;
      context.stdout(renderPlan(steps, { color, width: context.columns() }));
    });
}
