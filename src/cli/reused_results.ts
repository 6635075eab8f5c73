/** What a run would use again, asked before it starts: of the run that it resumes, and of `cache:`. */
import type { ClusterConfig } from "../cluster/config.ts";
import { environmentsDigest } from "../cluster/environments_digest.ts";
import { loadClusterConfig } from "../cluster/load_config.ts";
import { resumableState } from "../engine/resume/lineage.ts";
import { withEarlierEnv } from "../engine/resume/earlier_env.ts";
import { type Forecast, previewReuse } from "../engine/resume/preview.ts";
import { upcomingSyncs } from "../engine/resume/upcoming_syncs.ts";
import type { RunState } from "../engine/reduce.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { hashFiles } from "../steps/hash_files.ts";
import { createLocalFiles } from "../steps/local_files.ts";
import { forecastDigest } from "../steps/sync_source.ts";
import type { CliContext } from "./context.ts";
import { refuseMasked } from "./earlier_pipeline.ts";
import { openRuns } from "./past_runs.ts";
import { type GlobalFlags, readSettings } from "./settings.ts";

export interface ForecastOptions {
  readonly flags: GlobalFlags & { readonly from?: string; readonly input: readonly string[] };
  readonly context: CliContext;
  /** The run that would be resumed. */
  readonly earlier: RunState | undefined;
}

/** The state that `grid resume` of the run named so would go on from. */
export function earlierRun(
  name: string,
  { flags, context }: Pick<ForecastOptions, "flags" | "context">,
): RunState {
  using runs = openRuns(flags, context);
  const run = runs.store.latestOf(runs.store.resolveRun(name));
  return resumableState(run, (each) => runs.store.events(each));
}

/** @throws {GridError} `usage` where `grid resume` would refuse for an input that held a secret */
export async function forecastsOf(
  pipeline: Pipeline,
  { flags, context, earlier }: ForecastOptions,
): Promise<ReadonlyMap<string, Forecast>> {
  if (earlier) refuseMasked(pipeline, { earlier, input: flags.input });
  const { project, configFile } = readSettings(flags, context);
  const config = await loadClusterConfig({ file: configFile, project, env: context.env });
  const hash = (patterns: readonly string[]) => hashFiles(patterns, { project });
  const files = createLocalFiles(project);
  const { env } = withEarlierEnv(context.env, earlier);
  const local = { env, hashFiles: hash, files };
  using runs = openRuns(flags, context);
  return previewReuse(pipeline, {
    ...local,
    results: runs.store,
    from: flags.from,
    digests: await digestsOf(pipeline, { ...local, config, project }),
    nodeSays: (node, reads) => environmentsDigest(config, node, reads),
    resume: earlier,
  });
}

interface DigestOptions {
  readonly config: ClusterConfig;
  readonly project: string;
  readonly env: Readonly<Record<string, string>>;
  readonly hashFiles: (patterns: readonly string[]) => string;
}

/** What each sync would bring now; nothing is asked of any node. */
async function digestsOf(
  pipeline: Pipeline,
  { config: { sync: config }, project, ...local }: DigestOptions,
): Promise<ReadonlyMap<string, string>> {
  const syncs = upcomingSyncs(pipeline, local);
  const digests = new Map<string, string>();
  if (syncs.length === 0) return digests;
  for (const { step, action, fetchTargets } of syncs) {
    const signal = new AbortController().signal;
    try {
      const digest = await forecastDigest(action, { config, project, fetchTargets, signal });
      if (digest !== undefined) digests.set(step, digest);
    } catch {
      // A source that is not there yet: the sync itself will say so.
    }
  }
  return digests;
}
