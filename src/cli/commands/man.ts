import type { Command } from "../command_line/command.ts";
import type { CommandContext } from "../command_module.ts";

export function define(command: Command, context: CommandContext): void {
  command.close("It is made from the same words as --help.").action(async () => {
    const [{ renderManual }, { wholeProgram }] = await Promise.all([
      import("../command_line/manual.ts"),
      import("../program.ts"),
    ]);
    context.stdout(renderManual(await wholeProgram(context)));
  });
}
