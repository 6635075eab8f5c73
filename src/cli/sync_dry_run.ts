/** `grid sync --dry-run`: of a folder, or of every sync of a pipeline. */
import { basename, join, relative, resolve } from "node:path";
import { upcomingSyncs } from "../engine/resume/upcoming_syncs.ts";
import { loadPipeline } from "../pipeline/load.ts";
import { hashFiles } from "../steps/hash_files.ts";
import { openRunTrees } from "../steps/run_trees.ts";
import { syncOptionsOf } from "../steps/sync_source.ts";
import { explainSync, type SourceExplanation } from "../sync/explain.ts";
import type { SyncOptions } from "../sync/sync.ts";
import { renderSyncExplanation } from "../terminal/sync_explanation.ts";
import { openNodes } from "./nodes.ts";
import { keyValues } from "./option_values.ts";
import { type SyncCall, tellFailed } from "./sync_call.ts";

export async function explain(call: SyncCall): Promise<number> {
  const { source, flags, context, session } = call;
  const { grid } = session;
  const { sync: config } = grid.config;
  const options = {
    source,
    as: flags.as ?? basename(source),
    exclude: [...config.excludePatterns, ...flags.exclude],
    excludeFrom: flags.excludeFrom && resolve(context.cwd, flags.excludeFrom),
    useChecksums: config.useChecksums,
    followSymlinks: config.followSymlinks,
    delete: !flags.noDelete,
    allowLargeDelete: flags.force ?? false,
    onDrift: flags.onDrift,
    maxParallelTransfers: config.maxParallelTransfers,
    cacheFolder: join(grid.project, ".grid", "cache"),
  };
  const { explanation, code } = await explainOne(options, { ...call, names: flags.to });
  return show([{ step: undefined, ...explanation }], call) || code;
}

/** What each sync of a pipeline would do, as far as it is known before anything ran. */
export async function explainPipeline(call: SyncCall): Promise<number> {
  const { source, flags, context, session } = call;
  const { grid, signal } = session;
  const { pipeline } = await loadPipeline({
    file: relative(context.cwd, source),
    project: grid.project,
    inputs: keyValues(flags.input),
    env: context.env,
    nodes: grid.cluster.nodes,
    local: grid.config.local,
  });
  const hash = (patterns: readonly string[]) => hashFiles(patterns, { project: grid.project });
  const syncs = upcomingSyncs(pipeline, { env: context.env, hashFiles: hash });
  const known = new Set(syncs.map(({ step }) => step));
  for (const { id, action } of pipeline.steps) {
    if (action.kind !== "sync" || known.has(id)) continue;
    session.words.print(`"${id}": what it brings depends on what other steps find out\n`);
  }
  const explained = [];
  let worst = 0;
  for (const { step, action, fetchTargets } of syncs) {
    const options = syncOptionsOf(
      { ...action, ...(flags.force && { force: true }) },
      { config: grid.config.sync, project: grid.project, fetchTargets, signal },
    );
    const names = flags.to ?? (action.to === "all" ? undefined : action.to);
    const { explanation, code } = await explainOne(options, {
      ...call,
      names: names?.filter((name) => name !== "local"),
    });
    explained.push({ step, ...explanation });
    worst = Math.max(worst, code);
  }
  return show(explained, call) || worst;
}

async function explainOne(
  options: Omit<SyncOptions, "signal">,
  call: SyncCall & { readonly names: readonly string[] | undefined },
): Promise<{ readonly explanation: SourceExplanation; readonly code: number }> {
  const { session, names } = call;
  const { grid, signal } = session;
  const { open, failed } = await openNodes(session, { names, withLocal: false });
  const { leaseMs } = grid.config.jobs;
  const { run, keeper } = openRunTrees({ project: grid.project, run: "explain", leaseMs });
  const tell = (message: string) => session.words.print(`${message}\n`);
  const targets = open.map(({ node, transport, root }) => ({ node: node.name, transport, root }));
  const tree = { run, keeper, writes: [], tell };
  const explanation = await explainSync(targets, { ...options, tree, signal });
  return { explanation, code: tellFailed(failed, call) };
}

type Explained = SourceExplanation & { readonly step: string | undefined };

/** 1 where a sync would be refused. */
function show(explained: readonly Explained[], { context, session }: SyncCall): number {
  const { json, color } = session.settings;
  const [first] = explained;
  if (json) {
    const { step, ...folder } = first ?? { step: "" };
    const value = first !== undefined && step === undefined ? folder : { syncs: explained };
    context.stdout(JSON.stringify(value, null, 2) + "\n");
  } else {
    for (const each of explained) {
      if (each.step !== undefined) context.stdout(`${each.step}:\n`);
      context.stdout(renderSyncExplanation(each, { color: color.stdout }));
    }
  }
  return explained.some(({ nodes }) => nodes.some(({ refused }) => refused !== undefined)) ? 1 : 0;
}
