/** `grid resume RUN` as a process of its own, for who asks from a page. */
import { GridError } from "../core/errors.ts";
import type { Store } from "../store/store.ts";
import { startRunner } from "./runner_elsewhere.ts";
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
  if (begun.run === undefined) throw notBegun(begun.problem);
  return begun.run;
}

function resumedAlready(run: string, other: string): GridError {
  return new GridError({
    code: "conflict",
    message: `Cannot resume run ${run}: run ${other} went on from it already`,
    hint: "go on from that one",
  });
}

/** Whatever it is, who asks from a page can do nothing about it there. */
function notBegun(cause: GridError): GridError {
  const { message, hint, node, place } = cause;
  return new GridError({ code: "conflict", message, hint, node, place, cause });
}
