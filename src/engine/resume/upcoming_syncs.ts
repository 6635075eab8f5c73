/** The syncs that a run would do, as far as they are known before anything ran; for `grid plan`. */
import type { Pipeline, SyncAction } from "../../pipeline/pipeline.ts";
import { comesHome } from "../attempt/comes_home.ts";
import { resolveStep } from "../attempt/resolve.ts";
import { Scopes } from "../ledger/scopes.ts";
import type { PreviewOptions } from "./preview.ts";

export interface UpcomingSync {
  readonly step: string;
  readonly action: SyncAction<string>;
  /** Patterns of what the steps behind it fetch. */
  readonly comesHome: readonly string[];
}

export function upcomingSyncs(
  pipeline: Pipeline,
  { env, hashFiles }: Pick<PreviewOptions, "env" | "hashFiles">,
): readonly UpcomingSync[] {
  const scopes = new Scopes(pipeline, { run: "", env, hashFiles });
  const steps = new Map(pipeline.steps.map((step) => [step.id, step]));
  return pipeline.steps.flatMap((step) => {
    if (step.action.kind !== "sync") return [];
    try {
      const { action } = resolveStep(step, {
        scope: (env) => scopes.of(step, { env }),
        record: (id) => scopes.record(id),
      });
      if (action.kind !== "sync") return [];
      return [{ step: step.id, action, comesHome: comesHome(step, { steps, scopes }) }];
    } catch {
      // It depends on what another step finds out.
      return [];
    }
  });
}
