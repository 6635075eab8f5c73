import { join, relative, resolve } from "node:path";
import { fetchPlace, NODE_HOLE } from "../../pipeline/fetch_place.ts";
import { fetchesPipeline, type FetchSource } from "../../pipeline/task_pipeline.ts";
import type { Command } from "../command_line/command.ts";
import type { CommandContext } from "../command_module.ts";
import { fetchSources } from "../fetch_sources.ts";
import { openNodes } from "../nodes.ts";
import { nameList } from "../option_values.ts";
import { openSession, type Session } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";

interface FetchFlags extends GlobalFlags {
  readonly node?: readonly string[];
  readonly folder?: string;
  readonly run?: string;
  readonly step?: string;
  readonly to?: string;
  readonly dryRun?: true;
}

export function define(command: Command, context: CommandContext): void {
  command
    .argument("<patterns...>", "paths or globs below the folder there; quote globs")
    .option("--node <nodes>", "from these nodes, separated by commas", { read: nameList })
    .option("--folder <dir>", "on the node: below its workspace, absolute, or ~/…")
    .option("--run <run>", "from where this run worked; default the last one")
    .option("--step <step>", "from where this step of it ran; of a matrix, from all its cells")
    .option("--to <dir>", `folder here, ${NODE_HOLE} in it is the node's name; default this one`)
    .option("--dry-run", "only say what would be brought")
    .action<FetchFlags>(async (patterns, flags) => {
      await using session = await openSession(flags, context);
      const { node: nodes, folder, run, step } = flags;
      const sources = fetchSources({ nodes, folder, run, step }, session.grid.store);
      const act = flags.dryRun ? explain : fetch;
      const to = resolve(context.cwd, flags.to ?? ".");
      context.setExitCode(await act(sources, { patterns, to, context, session }));
    });
}

interface FetchCall {
  readonly patterns: readonly string[];
  /** Absolute. */
  readonly to: string;
  readonly context: CommandContext;
  readonly session: Session;
}

async function fetch(
  sources: readonly FetchSource[],
  { patterns, to, context, session }: FetchCall,
): Promise<number> {
  const { grid, signal, settings } = session;
  const { openTerminal } = await import("../run_terminal.ts");
  const pipeline = fetchesPipeline(sources, {
    from: patterns,
    to: relative(grid.project, to) || ".",
  });
  const state = await grid.run(pipeline, {
    signal,
    readers: (run) => [openTerminal({ run, session, context, mode: "steps" })],
    isLast: true,
  });
  if (settings.json) context.stdout(await grid.readReport(state));
  return state.exitCode ?? 70;
}

async function explain(
  sources: readonly FetchSource[],
  { patterns, to, context, session }: FetchCall,
): Promise<number> {
  const { signal, settings } = session;
  const [{ explainFetch }, { renderFetchExplanation }, { renderProblem }, { stepFolder }] =
    await Promise.all([
      import("../../sync/fetch.ts"),
      import("../../terminal/fetch_explanation.ts"),
      import("../../terminal/problem.ts"),
      import("../../steps/placement.ts"),
    ]);
  const names = [...new Set(sources.map(({ node }) => node))];
  const { open, failed } = await openNodes(session, { names, withLocal: true });
  const explained = [];
  for (const { node: name, folder } of sources) {
    const node = open.find((it) => it.node.name === name);
    if (node === undefined) continue;
    explained.push(
      await explainFetch({
        transport: node.transport,
        folder: stepFolder({ folders: {}, workingDirectory: folder }, node),
        from: patterns,
        to: join(fetchPlace(to, name)),
        signal,
      }),
    );
  }
  const color = settings.color.stdout;
  context.stdout(
    settings.json
      ? JSON.stringify({ sources: explained }, null, 2) + "\n"
      : renderFetchExplanation(explained, { color }),
  );
  for (const { error } of failed) {
    context.stderr(renderProblem(error, { color: settings.color.stderr }));
  }
  return failed.length > 0 ? 3 : 0;
}
