import { systemClock } from "../../core/clock.ts";
import type { Command } from "../command_line/command.ts";
import type { CommandContext } from "../command_module.ts";
import { changeDrain } from "../drain_node.ts";
import { timeAhead } from "../option_values.ts";
import type { GlobalFlags } from "../settings.ts";

interface DrainFlags extends GlobalFlags {
  readonly reason?: string;
  readonly until?: string;
}

export function define(command: Command, context: CommandContext): void {
  command
    .argument("<nodes...>", "names, separated by blanks or commas")
    .option("--reason <words>", "why, for everybody who asks")
    .option("--until <time>", "ends by itself: 4h, 18:00, or 2026-11-30T08:00")
    .action<DrainFlags>(async (nodes, { reason = "", until, ...flags }) => {
      const forMs = until === undefined ? undefined : timeAhead(until, systemClock.now());
      const change = { nodes: nodes.join(","), reason, forMs };
      context.setExitCode(await changeDrain(change, { flags, context }));
    });
}
