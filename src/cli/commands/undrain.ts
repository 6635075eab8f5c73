import type { Command } from "../command_line/command.ts";
import type { CommandContext } from "../command_module.ts";
import { changeDrain } from "../drain_node.ts";
import type { GlobalFlags } from "../settings.ts";

export function define(command: Command, context: CommandContext): void {
  command
    .argument("<nodes...>", "names, separated by blanks or commas")
    .action<GlobalFlags>(async (nodes, flags) => {
      const change = { nodes: nodes.join(","), reason: undefined, forMs: undefined };
      context.setExitCode(await changeDrain(change, { flags, context }));
    });
}
