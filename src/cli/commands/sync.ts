import { relative, resolve } from "node:path";
import { GridError } from "../../core/errors.ts";
import { syncPipeline } from "../../pipeline/command_pipeline.ts";
import type { Command } from "../command_line/command.ts";
import type { CommandContext } from "../command_module.ts";
import { collect, nameList } from "../option_values.ts";
import { openSession } from "../session.ts";
import type { SyncCall, SyncFlags } from "../sync_call.ts";

export function define(command: Command, context: CommandContext): void {
  command
    .argument(
      "[folder]",
      "what to bring, default the project; a pipeline file to explain its syncs",
    )
    .option("--to <nodes>", "node names, separated by commas; default all", { read: nameList })
    .option("--as <name>", "folder name below remote_root; default the folder's own")
    .option("--explain", "only say what would be sent, removed and ignored, and why")
    .option("--exclude <pattern>", "leave this out too, in gitignore syntax; may be repeated", {
      read: collect,
      initial: [],
    })
    .option("--exclude-from <file>", "the same, from a file with a pattern in each line")
    .option("--no-delete", "keep on the nodes what the folder no longer has")
    .option("--on-drift <policy>", "files in the way that Grid did not write; default backup", {
      choices: ["fail", "keep", "backup"],
    })
    .option("--dry-run", "the same as --explain")
    .option("--verify", "read every file on the nodes again, and put right what differs")
    .option("--undo", "bring back what the last sync moved aside on the nodes")
    .option("--force", "also where all, or most of what is there, would be deleted")
    .option("-i, --input <name=value>", "of a pipeline that is explained; may be repeated", {
      read: collect,
      initial: [],
    })
    .action<SyncFlags>(async (folder, flags) => {
      await using session = await openSession(flags, context);
      const source = folder === undefined ? session.grid.project : resolve(context.cwd, folder);
      const act = await actOf(source, flags);
      context.setExitCode(await act({ source, flags, context, session }));
    });
}

type Act = (call: SyncCall) => Promise<number>;

async function actOf(source: string, flags: SyncFlags): Promise<Act> {
  const isDry = flags.explain || flags.dryRun;
  const isPipeline = /\.ya?ml$/.test(source);
  if (flags.undo && (flags.verify || isDry)) {
    throw new GridError({
      code: "usage",
      message: `Cannot combine --undo and ${flags.verify ? "--verify" : "--dry-run"}`,
      hint: "one after the other",
    });
  }
  if (flags.undo) return (await import("../sync_undo.ts")).undo;
  if (flags.verify) {
    const { verify } = await import("../sync_verify.ts");
    return isDry ? verify : async (call) => {
      const code = await verify(call);
      return code === 3 ? code : await sync(call);
    };
  }
  if (!isDry) return sync;
  const { explain, explainPipeline } = await import("../sync_dry_run.ts");
  return isPipeline ? explainPipeline : explain;
}

async function sync({ source, flags, context, session }: SyncCall): Promise<number> {
  const { grid, signal, settings } = session;
  const { openTerminal } = await import("../run_terminal.ts");
  const from = relative(grid.project, source) || ".";
  const pipeline = syncPipeline({
    ...flags,
    from,
    to: flags.to ?? "all",
    delete: !flags.noDelete,
    excludeFrom: flags.excludeFrom && resolve(context.cwd, flags.excludeFrom),
  });
  const state = await grid.run(pipeline, {
    signal,
    readers: (run) => [openTerminal({ run, session, context, mode: "steps" })],
    isLast: true,
  });
  if (settings.json) context.stdout(await grid.readReport(state));
  return state.exitCode ?? 70;
}
