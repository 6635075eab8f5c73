import type { Command } from "../command_line/command.ts";
import { queueOf } from "../../cluster/queue.ts";
import { renderQueue } from "../../terminal/tables/queue_table.ts";
import type { CommandContext } from "../command_module.ts";
import { nameList } from "../option_values.ts";
import { openSession } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";

interface QueueFlags extends GlobalFlags {
  readonly nodes?: readonly string[];
}

export function define(command: Command, context: CommandContext): void {
  command
    .option("--nodes <names>", "only these, separated by commas", { read: nameList })
    .action<QueueFlags>(async (flags) => {
      await using session = await openSession(flags, context);
      const { settings, grid, signal } = session;
      const rows = await grid.cluster.health({
        isLast: true,
        signal,
        fresh: true,
        ...(flags.nodes && { among: flags.nodes }),
      });
      const queue = queueOf(rows);
      const silent = rows.filter(({ facts }) => facts === undefined);
      if (settings.json) {
        const entries = queue.map((entry) => ({
          ...entry,
          model: entry.model ?? null,
          leftMs: entry.leftMs ?? null,
        }));
        const unknown = silent.map(({ node, reason }) => ({ node, reason: reason ?? null }));
        context.stdout(JSON.stringify({ queue: entries, silent: unknown }, null, 2) + "\n");
      } else {
        context.stdout(renderQueue(queue, {
          color: settings.color.stdout,
          width: context.columns("stdout"),
          nodes: { answered: rows.length - silent.length, silent: silent.length },
        }));
      }
      for (const { node, reason } of silent) {
        context.stderr(`${node}: ${reason ?? "it did not answer"}\n`);
      }
      if (silent.length > 0) context.setExitCode(3);
    });
}
