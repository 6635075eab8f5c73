import type { Command } from "../command_line/command.ts";
import { lazy } from "../../core/lazy.ts";
import { loadPipeline } from "../../pipeline/load.ts";
import { plannedHooks, planOf } from "../../pipeline/plan.ts";
import type { GraphStep } from "../../report/graph/graph.ts";
import type { CommandContext } from "../command_module.ts";
import { type GlobalFlags, readSettings } from "../settings.ts";

const FORMATS = ["text", "mermaid", "dot", "svg"] as const;

type Format = (typeof FORMATS)[number];

export function define(command: Command, context: CommandContext): void {
  command
    .argument("<pipeline>", "a .yaml or .yml file")
    .option("--format <format>", "form", { choices: FORMATS, initial: "text" })
    .action<GlobalFlags & { readonly format: Format }>(async (file, flags) => {
      const { project } = readSettings(flags, context);
      const { pipeline } = await loadPipeline({
        file,
        project,
        env: context.env,
        requireInputs: false,
      });
      const steps = planOf(pipeline);
      const hooks = plannedHooks(pipeline);
      const drawn = [...steps, ...hooks.map((hook) => ({ ...hook, hook: hook.moment }))];
      context.stdout(await render(drawn, flags.format));
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
