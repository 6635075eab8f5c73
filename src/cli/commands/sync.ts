import type { Command } from "@commander-js/extra-typings";
import { relative, resolve } from "node:path";
import { syncPipeline } from "../../pipeline/command_pipeline.ts";
import type { CommandContext } from "../command_module.ts";
import { nameList } from "../option_values.ts";
import { openSession } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";

export function define(command: Command, context: CommandContext): void {
  command
    .argument("[folder]", "what to bring; default the project", undefined)
    .option("--to <nodes>", "node names, separated by commas; default all", nameList)
    .option("--as <name>", "folder name below remote_root; default the folder's own")
    .action(async (folder, _flags, self) => {
      const flags = self.optsWithGlobals() as GlobalFlags & { to?: string[]; as?: string };
      await using session = await openSession(flags, context);
      const { grid } = session;
      const from = folder === undefined
        ? "."
        : relative(grid.project, resolve(context.cwd, folder));
      const { openTerminal } = await import("../run_terminal.ts");
      const state = await grid.run(
        syncPipeline({ from: from || ".", to: flags.to ?? "all", as: flags.as }),
        {
          signal: session.signal,
          readers: (run) => [openTerminal({ run, session, context, mode: "steps" })],
        },
      );
      if (session.settings.json) context.stdout(await grid.readReport(state.run));
      context.setExitCode(state.exitCode ?? 70);
    });
}
