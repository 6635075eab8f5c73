/** `grid resume RUN` as a process of its own, for who asks from a page. */
import { GridError } from "../core/errors.ts";
import type { Store } from "../store/store.ts";
import { runnerWords, startRunner } from "./runner_elsewhere.ts";
import type { Settings } from "./settings.ts";

export interface ResumeElsewhereOptions {
  readonly store: Store;
  readonly settings: Pick<Settings, "project" | "configFile">;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/**
 * @returns id of the new run
 * @throws {GridError} `conflict` with what the runner said where it ended before the run began
 */
export async function resumeElsewhere(
  run: string,
  { store, settings: { project, configFile }, env, signal }: ResumeElsewhereOptions,
): Promise<string> {
  const before = store.row(run)?.resumedAs;
  if (before !== undefined) throw resumedAlready(run, before);
  const config = configFile === undefined ? [] : ["--config", configFile];
  const begun = await startRunner(["resume", run, ...config], {
    project,
    store,
    cwd: project,
    env,
    signal,
  });
  if (begun.run === undefined) throw notBegun(run, begun.said);
  return begun.run;
}

function resumedAlready(run: string, other: string): GridError {
  return new GridError({
    code: "conflict",
    message: `Cannot resume run ${run}: run ${other} went on from it already`,
    hint: "go on from that one",
  });
}

function notBegun(run: string, words: string): GridError {
  const { message, hint } = runnerWords(words);
  return new GridError({
    code: "conflict",
    message: message || `Cannot resume run ${run}: its runner ended without a word`,
    ...(hint !== undefined && { hint }),
  });
}
