import type { Command } from "./command_line/command.ts";
import type { CliContext } from "./context.ts";

export interface CommandContext extends CliContext {
  /** What the process will exit with; 0 unless told. */
  setExitCode(code: number): void;
}

/** Adds arguments, options and the action to a command that already has its name and summary. */
export interface CommandModule {
  define(command: Command, context: CommandContext): void;
}
