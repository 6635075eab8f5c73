/** The way from a `run` step to one on many nodes, whose code is loaded where there is one. */
import { lazy } from "../core/lazy.ts";
import { GridError } from "../core/errors.ts";
import type { StepOutcome } from "../engine/ports.ts";
import type { GangOptions } from "./gang.ts";
import type { LostRank } from "./gang_ending.ts";
import type { RunRequest } from "./run_job.ts";

/** By what the steps of a run share: ranks of earlier attempts whose nodes were lost. */
const lostRanks = new WeakMap<object, LostRank[]>();

export async function onManyNodes(
  request: RunRequest,
  options: Omit<GangOptions, "gang" | "lost">,
): Promise<StepOutcome> {
  const { gang } = request.action;
  if (gang === undefined) {
    throw new GridError({ code: "bug", message: "Cannot run on many nodes: it wants one" });
  }
  const lost = lostRanks.get(options.survivors) ?? [];
  lostRanks.set(options.survivors, lost);
  const { runGang } = await lazy<typeof import("./gang.ts")>("./gang.ts", import.meta.url);
  return await runGang(request, { ...options, gang, lost });
}
