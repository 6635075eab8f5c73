import type { Command } from "../command_line/command.ts";
import { GridError } from "../../core/errors.ts";
import { lazy } from "../../core/lazy.ts";
import { loadPipeline } from "../../pipeline/load.ts";
import { plannedHooks, planOf } from "../../pipeline/plan.ts";
import type { GraphStep } from "../../report/graph/graph.ts";
import type { CommandContext } from "../command_module.ts";
import { type GlobalFlags, readSettings } from "../settings.ts";

const FORMATS = ["text", "mermaid", "dot", "svg"] as const;

type Format = (typeof FORMATS)[number];

type GraphFlags = GlobalFlags & { readonly format?: Format };

export function define(command: Command, context: CommandContext): void {
  command
    .argument("<pipeline>", "a .yaml or .yml file")
    .option("--format <format>", "form; default text", { choices: FORMATS })
    .close("With --json: the steps and hooks that would be drawn.")
    .action<GraphFlags>(async (file, flags) => {
      const { project, json } = readSettings(flags, context);
      if (json && flags.format !== undefined) throw twoForms(flags.format);
      const { pipeline } = await loadPipeline({
        file,
        project,
        env: context.env,
        requireInputs: false,
      });
      const steps = planOf(pipeline);
      const hooks = plannedHooks(pipeline);
      if (json) {
        const { name } = pipeline;
        return context.stdout(JSON.stringify({ name, steps, hooks }, null, 2) + "\n");
      }
      const drawn = [...steps, ...hooks.map((hook) => ({ ...hook, hook: hook.moment }))];
      context.stdout(await render(drawn, flags.format ?? "text"));
    });
}

function twoForms(format: Format): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot draw the graph as ${format} and as JSON at once`,
    hint: "leave out --format or --json",
  });
}

async function render(steps: readonly GraphStep[], format: Format): Promise<string> {
  switch (format) {
    case "text":
      return (await lazy<typeof import("../../report/graph/text.ts")>(
        "../../report/graph/text.ts",
        import.meta.url,
      )).renderGraphText(steps);
    case "mermaid":
      return (await lazy<typeof import("../../report/graph/mermaid.ts")>(
        "../../report/graph/mermaid.ts",
        import.meta.url,
      )).renderMermaid(steps);
    case "dot":
      return (await lazy<typeof import("../../report/graph/dot.ts")>(
        "../../report/graph/dot.ts",
        import.meta.url,
      )).renderDot(steps);
    case "svg":
      return (await lazy<typeof import("../../report/graph/svg.ts")>(
        "../../report/graph/svg.ts",
        import.meta.url,
      )).renderSvg(steps);
  }
}
