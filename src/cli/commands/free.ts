import { freeModels } from "../../cluster/free_gpus.ts";
import type { Command } from "../command_line/command.ts";
import type { CommandContext } from "../command_module.ts";
import { nameList } from "../option_values.ts";
import { openSession } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";

interface FreeFlags extends GlobalFlags {
  readonly fresh?: true;
  readonly nodes?: readonly string[];
}

/** Free cards are taken at any moment. */
export function define(command: Command, context: CommandContext): void {
  command
    .option("--fresh", "ask the nodes even where a recent answer is at hand")
    .option("--nodes <names>", "only these, separated by commas", { read: nameList })
    .action<FreeFlags>(async (flags) => {
      context.setExitCode(await free(flags, context));
    });
}

/** 0 while any GPU is free; 3 when none is. */
async function free(flags: FreeFlags, context: CommandContext): Promise<number> {
  await using session = await openSession(flags, context);
  const { grid, signal, settings } = session;
  const rows = await grid.cluster.health({
    isLast: true,
    signal,
    fresh: flags.fresh ?? false,
    ...(flags.nodes && { among: flags.nodes }),
  });
  const models = freeModels(rows);
  const silent = rows.filter(({ status }) => status === "unreachable").map(({ node }) => node);
  if (settings.json) {
    const shown = models.map((model) => ({ ...model, memoryBytes: model.memoryBytes ?? null }));
    context.stdout(JSON.stringify({ models: shown, unreachable: silent }, null, 2) + "\n");
  } else {
    const { renderFree } = await import("../../terminal/tables/free_table.ts");
    const { stdout: color } = settings.color;
    context.stdout(renderFree(models, { color, width: context.columns("stdout") }));
    const twins = rows.filter(({ sameAs }) => sameAs !== undefined);
    for (const { node, sameAs } of settings.quiet ? [] : twins) {
      context.stderr(`counted once: ${node} is ${sameAs} by another name\n`);
    }
    if (silent.length > 0 && !settings.quiet) {
      context.stderr(`not counted, for they do not answer: ${silent.join(", ")}\n`);
    }
  }
  return models.some(({ free }) => free > 0) ? 0 : 3;
}
