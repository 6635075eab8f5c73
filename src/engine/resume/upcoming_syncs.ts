/** The syncs that a run would do, as far as they are known before anything ran; for `grid plan`. */
import type { DataAction } from "../../pipeline/data_action.ts";
import type { Pipeline, SyncAction } from "../../pipeline/pipeline.ts";
import { looksAlways } from "../../pipeline/step_kinds.ts";
import { fetchTargets } from "../attempt/fetch_targets.ts";
import { resolveStep } from "../attempt/resolve.ts";
import { Scopes } from "../ledger/scopes.ts";
import type { PreviewOptions } from "./preview.ts";

export interface UpcomingSync {
  readonly step: string;
  readonly action: SyncAction<string>;
  /** Patterns of what the steps behind it fetch. */
  readonly fetchTargets: readonly string[];
}

export interface UpcomingData {
  readonly step: string;
  readonly action: DataAction<string>;
}

/** The same for data sets. */
export function upcomingData(
  pipeline: Pipeline,
  options: UpcomingOptions,
): readonly UpcomingData[] {
  return upcoming(pipeline, options).flatMap(({ step, action }) =>
    action.kind === "data" ? [{ step: step.id, action }] : []
  );
}

type UpcomingOptions = Pick<PreviewOptions, "env" | "hashFiles">;

export function upcomingSyncs(
  pipeline: Pipeline,
  options: UpcomingOptions,
): readonly UpcomingSync[] {
  const steps = new Map(pipeline.steps.map((step) => [step.id, step]));
  return upcoming(pipeline, options).flatMap(({ step, action, scopes }) =>
    action.kind === "sync"
      ? [{ step: step.id, action, fetchTargets: fetchTargets(step, { steps, scopes }) }]
      : []
  );
}

function upcoming(pipeline: Pipeline, { env, hashFiles }: UpcomingOptions) {
  const scopes = new Scopes(pipeline, { run: "", env, hashFiles });
  return pipeline.steps.filter(({ action }) => looksAlways(action.kind)).flatMap((step) => {
    try {
      const { action } = resolveStep(step, {
        scope: (env) => scopes.of(step, { env }),
        record: (id) => scopes.record(id),
      });
      return [{ step, action, scopes }];
    } catch {
      // It depends on what another step finds out.
      return [];
    }
  });
}
