/** `grid resume RUN` as a process of its own, for who asks from a page. */
import { join } from "node:path";
import { systemClock } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import { randomWord } from "../core/ids.ts";
import type { Store } from "../store/store.ts";
import { spawnGrid } from "./own_program.ts";
import type { Settings } from "./settings.ts";

export interface ResumeElsewhereOptions {
  readonly store: Store;
  readonly settings: Pick<Settings, "project" | "configFile">;
  readonly env: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
}

/** A runner that has not journaled its beginning by then is told to be slow, and goes on. */
const BEGIN_MS = 60_000;
const LOOK_MS = 100;
/** Of what it printed that is told. */
const MOST_WORDS = 2000;

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
  const output = join(project, ".grid", `resume_${randomWord(12)}.out`);
  const config = configFile === undefined ? [] : ["--config", configFile];
  const child = spawnGrid(["resume", run, "--quiet", "--color", "never", ...config], {
    cwd: project,
    env,
    output,
  });
  let ended = false;
  void child.status.then(() => ended = true);
  try {
    for (let waitedMs = 0; waitedMs < BEGIN_MS; waitedMs += LOOK_MS) {
      // Asked in this order: a short run may be over at once.
      const wasOver = ended;
      const next = store.row(run)?.resumedAs;
      if (next !== undefined) return next;
      if (wasOver) throw notBegun(run, Deno.readTextFileSync(output));
      await systemClock.sleep(LOOK_MS, { signal });
    }
    throw new GridError({
      code: "conflict",
      message: `Cannot say yet how the resumption of ${run} is called: its runner is still loading`,
      hint: "it will stand first among all runs",
    });
  } finally {
    // The runner goes on writing into it; the journal and its logs are what stays.
    Deno.removeSync(output);
  }
}

function resumedAlready(run: string, other: string): GridError {
  return new GridError({
    code: "conflict",
    message: `Cannot resume run ${run}: run ${other} went on from it already`,
    hint: "go on from that one",
  });
}

/** `error: …` and `hint: …` are how a runner says it; here they get a form of their own. */
function notBegun(run: string, words: string): GridError {
  const said = words.trim().slice(-MOST_WORDS);
  const hint = /^hint: (.+)$/m.exec(said)?.[1];
  const lines = said.split("\n").filter((line) => !/^(?:hint: |note: )/.test(line))
    .map((line) => line.replace(/^error: /, ""));
  return new GridError({
    code: "conflict",
    message: lines.join("\n").trim() || `Cannot resume run ${run}: its runner ended without a word`,
    ...(hint !== undefined && { hint }),
  });
}
