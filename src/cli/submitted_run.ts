/** `grid run …` as a process of its own, which no closed terminal, hang-up or logout of ours ends. */
import { renameSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import { newRunId, randomWord } from "../core/ids.ts";
import type { CommandContext } from "./command_module.ts";
import { RUN_ID_VARIABLE } from "./context.ts";
import { GLOBAL_OPTIONS } from "./global_options.ts";
import { spawnGrid } from "./own_program.ts";
import { openRuns } from "./past_runs.ts";
import { openGround } from "../store/ground.ts";
import { openStore } from "../store/open.ts";
import { type GlobalFlags, readSettings } from "./settings.ts";

/** A runner that has not journaled its beginning by then stands still, or its machine does. */
const BEGIN_MS = 60_000;
const LOOK_MS = 50;

export interface Submitted {
  readonly run: string;
  /** Of the runner. */
  readonly pid: number;
}

export interface NotBegun {
  readonly run: undefined;
  /** By the runner, for people. */
  readonly said: string;
  readonly exitCode: number;
}

export interface SubmitOptions {
  readonly flags: GlobalFlags;
  /** Its arguments are those of `grid submit`, which `grid run` takes, too. */
  readonly context: CommandContext;
}

/**
 * Resolves once the run has begun and is journaled, or its runner has ended before that.
 *
 * @throws {GridError} `conflict` where neither is so after a minute
 */
export async function submitRun(
  { flags, context }: SubmitOptions,
): Promise<Submitted | NotBegun> {
  openStore(openGround(readSettings(flags, context).project))[Symbol.dispose]();
  using runs = openRuns(flags, context);
  const run = newRunId(systemClock.now());
  const output = join(runs.settings.project, ".grid", `submit_${randomWord(12)}.out`);
  const child = spawnGrid(["--quiet", "--color", "never", ...asRun(context.args)], {
    cwd: context.cwd,
    env: { ...context.env, [RUN_ID_VARIABLE]: run },
    output,
  });
  let code: number | undefined;
  void child.status.then((status) => code = status.code);
  const hasBegun = () => runs.store.runs({ limit: 100 }).some((row) => row.run === run);
  for (let waitedMs = 0; waitedMs < BEGIN_MS; waitedMs += LOOK_MS) {
    // Asked in this order: a short run may be over at once.
    const ended = code;
    if (hasBegun()) {
      // What it still has to say beside its journal, such as what its disk refuses, lies with the run.
      renameSync(output, join(runs.folder(run), "runner.log"));
      return { run, pid: child.pid };
    }
    if (ended !== undefined) return notBegun(output, ended);
    await systemClock.sleep(LOOK_MS);
  }
  throw new GridError({
    code: "conflict",
    message: `Cannot say yet whether run ${run} has begun: its runner, process ${child.pid}, ` +
      `is silent for ${BEGIN_MS / 1000} s`,
    hint: `look: grid runs; what it says: ${output}`,
  });
}

/** The words of `grid submit` as those of `grid run`; nobody reads its JSON. */
export function asRun(args: readonly string[]): string[] {
  const valued = GLOBAL_OPTIONS.filter(({ flags }) => flags.includes("<"))
    .map(({ flags }) => flags.split(" ")[0]);
  let at = 0;
  while (args[at]?.startsWith("-")) at += valued.includes(args[at] ?? "") ? 2 : 1;
  const words = [...args.slice(0, at), "run", ...args.slice(at + 1)];
  const end = words.indexOf("--");
  return words.filter((word, index) => word !== "--json" || (end >= 0 && index > end));
}

/** It has said it in the words that `grid run` would have printed here. */
function notBegun(output: string, exitCode: number): NotBegun {
  const said = Deno.readTextFileSync(output);
  Deno.removeSync(output);
  return { run: undefined, said, exitCode };
}
