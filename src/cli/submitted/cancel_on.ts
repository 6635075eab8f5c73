/** `grid cancel` of a run whose runner lives on a node. */
import { lazy } from "../../core/lazy.ts";
import { VERSION } from "../../core/version.ts";
import type { NodeRunner } from "../../store/node_runners.ts";
import type { CliContext } from "../context.ts";
import type { PastRuns } from "../past_runs.ts";
import { askOnce } from "./talk.ts";

const CANCEL_MS = 30_000;

/** False where its runner is gone. */
export async function cancelOn(
  { run, node, folder }: NodeRunner,
  { runs: { settings }, context, reason }: {
    readonly runs: PastRuns;
    readonly context: CliContext;
    readonly reason: string;
  },
): Promise<boolean> {
  const { openGrid } = await lazy<typeof import("../../grid.ts")>(
    "../../grid.ts",
    import.meta.url,
  );
  const { project, configFile } = settings;
  await using grid = await openGrid({
    project,
    configFile,
    env: context.env,
    gridVersion: VERSION,
  });
  const signal = AbortSignal.timeout(CANCEL_MS);
  const { transport } = await grid.cluster.open(node, { signal });
  const { asked } = await askOnce({ transport, folder, signal }, { ask: "cancel", run, reason });
  return asked;
}
