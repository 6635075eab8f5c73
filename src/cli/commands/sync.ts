import type { Command } from "../command_line/command.ts";
import { basename, join, relative, resolve } from "node:path";
import { syncPipeline } from "../../pipeline/command_pipeline.ts";
import type { CommandContext } from "../command_module.ts";
import { openNodes } from "../nodes.ts";
import { collect, nameList } from "../option_values.ts";
import { openSession, type Session } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";

interface SyncFlags extends GlobalFlags {
  readonly to?: readonly string[];
  readonly as?: string;
  readonly explain?: true;
  readonly exclude: readonly string[];
  readonly noDelete?: true;
  readonly force?: true;
  readonly onDrift?: "fail" | "keep" | "backup";
  readonly dryRun?: true;
  readonly undo?: true;
}

export function define(command: Command, context: CommandContext): void {
  command
    .argument("[folder]", "what to bring; default the project")
    .option("--to <nodes>", "node names, separated by commas; default all", { read: nameList })
    .option("--as <name>", "folder name below remote_root; default the folder's own")
    .option("--explain", "only say what would be sent, removed and ignored, and why")
    .option("--exclude <pattern>", "leave this out too, in gitignore syntax; may be repeated", {
      read: collect,
      initial: [],
    })
    .option("--no-delete", "keep on the nodes what the folder no longer has")
    .option("--on-drift <policy>", "files in the way that Grid did not write; default backup", {
      choices: ["fail", "keep", "backup"],
    })
    .option("--dry-run", "the same as --explain")
    .option("--undo", "bring back what the last sync moved aside on the nodes")
    .option("--force", "also where all, or most of what is there, would be deleted")
    .action<SyncFlags>(async (folder, flags) => {
      await using session = await openSession(flags, context);
      const source = folder === undefined ? session.grid.project : resolve(context.cwd, folder);
      const act = flags.undo ? undo : flags.explain || flags.dryRun ? explain : sync;
      context.setExitCode(await act(source, { flags, context, session }));
    });
}

interface SyncCall {
  readonly flags: SyncFlags;
  readonly context: CommandContext;
  readonly session: Session;
}

async function sync(source: string, { flags, context, session }: SyncCall): Promise<number> {
  const { grid, signal, settings } = session;
  const { openTerminal } = await import("../run_terminal.ts");
  const from = relative(grid.project, source) || ".";
  const pipeline = syncPipeline({
    ...flags,
    from,
    to: flags.to ?? "all",
    delete: !flags.noDelete,
  });
  const state = await grid.run(pipeline, {
    signal,
    readers: (run) => [openTerminal({ run, session, context, mode: "steps" })],
  });
  if (settings.json) context.stdout(await grid.readReport(state));
  return state.exitCode ?? 70;
}

async function undo(source: string, { flags, context, session }: SyncCall): Promise<number> {
  const { signal, settings } = session;
  const { open, failed } = await openNodes(session, { names: flags.to, withLocal: false });
  const { undoSync } = await import("../../sync/undo.ts");
  const { renderProblem } = await import("../../terminal/problem.ts");
  const as = flags.as ?? basename(source);
  const done = [];
  for (const { node, transport, root } of open) {
    done.push(await undoSync({ target: { node: node.name, transport, root }, as, signal }));
  }
  const lines = done.map(({ node, folder, files }) =>
    files.length === 0
      ? `${node}: nothing was moved aside in ${folder}`
      : `${node}: back in ${folder}: ${files.join(", ")}`
  );
  context.stdout(`${settings.json ? JSON.stringify(done, null, 2) : lines.join("\n")}\n`);
  for (const { error } of failed) {
    context.stderr(renderProblem(error, { color: settings.color.stderr }));
  }
  return failed.length > 0 ? 3 : 0;
}

async function explain(source: string, { flags, context, session }: SyncCall): Promise<number> {
  const { grid, signal, settings } = session;
  const { open, failed } = await openNodes(session, { names: flags.to, withLocal: false });
  const [
    { explainSync },
    { openRunTrees },
    { renderSyncExplanation },
    { renderProblem },
  ] = await Promise.all([
    import("../../sync/explain.ts"),
    import("../../steps/run_trees.ts"),
    import("../../terminal/sync_explanation.ts"),
    import("../../terminal/problem.ts"),
  ]);
  const { sync: config, jobs } = grid.config;
  const { run, keeper } = openRunTrees({
    project: grid.project,
    run: "explain",
    leaseMs: jobs.leaseMs,
  });
  const tell = (message: string) => session.words.print(`${message}\n`);
  const explanation = await explainSync(
    open.map(({ node, transport, root }) => ({ node: node.name, transport, root })),
    {
      source,
      as: flags.as ?? basename(source),
      exclude: [...config.excludePatterns, ...flags.exclude],
      excludeFrom: undefined,
      useChecksums: config.useChecksums,
      followSymlinks: config.followSymlinks,
      delete: !flags.noDelete,
      maxParallelTransfers: config.maxParallelTransfers,
      cacheFolder: join(grid.project, ".grid", "cache"),
      tree: { run, keeper, writes: [], tell },
      signal,
    },
  );
  context.stdout(
    settings.json
      ? JSON.stringify(explanation, null, 2) + "\n"
      : renderSyncExplanation(explanation, { color: settings.color.stdout }),
  );
  for (const { error } of failed) {
    context.stderr(renderProblem(error, { color: settings.color.stderr }));
  }
  return failed.length > 0 ? 3 : 0;
}
