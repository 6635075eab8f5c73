import { GridError } from "../../core/errors.ts";
import type { Command } from "../command_line/command.ts";
import type { CommandContext } from "../command_module.ts";
import { readOwn } from "../new_files.ts";

const SHELLS = ["bash", "zsh", "fish"];

export function define(command: Command, context: CommandContext): void {
  command
    .argument("<shell>", SHELLS.join(", "))
    .close(
      "Commands, options, runs, steps and nodes are completed. For zsh, save it as _grid in a\n" +
        "folder of $fpath.",
    )
    .action((shell) => {
      if (!SHELLS.includes(shell)) {
        throw new GridError({
          code: "usage",
          message: `Cannot complete for "${shell}": it is no shell that Grid knows`,
          hint: `there are ${SHELLS.join(", ")}`,
        });
      }
      context.stdout(readOwn(`src/cli/completion/grid.${shell}`));
    });
}
