/** `grid submit …`: a run that no closed terminal, hang-up or logout of ours ends. */
import { openGround } from "../store/ground.ts";
import { openStore } from "../store/open.ts";
import type { CommandContext } from "./command_module.ts";
import { GLOBAL_OPTIONS } from "./global_options.ts";
import { ownCache, ownCommand } from "./own_program.ts";
import { removeRestart, writeRestart } from "./restart.ts";
import { systemClock } from "../core/clock.ts";
import { newRunId } from "../core/ids.ts";
import { type Begun, type NotBegun, startRunner } from "./runner_elsewhere.ts";
import { type GlobalFlags, readSettings } from "./settings.ts";

export interface SubmitOptions {
  readonly flags: GlobalFlags;
  /** Its arguments are those of `grid submit`, which `grid run` takes, too. */
  readonly context: CommandContext;
  /** A restart of this machine goes on with it. */
  readonly isRestarted: boolean;
}

/** @throws {GridError} `conflict` where the runner says nothing for a minute */
export async function submitRun(
  { flags, context, isRestarted }: SubmitOptions,
): Promise<(Begun | NotBegun) & { readonly restart: string | undefined }> {
  const { project } = readSettings(flags, context);
  using store = openStore(openGround(project));
  const { cwd, env } = context;
  const run = newRunId(systemClock.now());
  const said = isRestarted
    ? await writeRestart({
      run,
      project,
      program: ownCommand(),
      env: { ...ownCache(), ...env },
    })
    : undefined;
  const options = { project, store, cwd, env, run, isRestarted };
  const begun = await startRunner(asRun(context.args), options);
  if (begun.run === undefined && isRestarted) await removeRestart(run, env);
  return { ...begun, restart: said };
}

/** Nobody reads its JSON, and a restart is not its own affair. */
const UNREAD = new Set(["--json", "--restart"]);

/** The words of `grid submit` as those of `grid run`. */
export function asRun(args: readonly string[]): string[] {
  const valued = GLOBAL_OPTIONS.filter(({ flags }) => flags.includes("<"))
    .map(({ flags }) => flags.split(" ")[0]);
  let at = 0;
  while (args[at]?.startsWith("-")) at += valued.includes(args[at] ?? "") ? 2 : 1;
  const words = [...args.slice(0, at), "run", ...args.slice(at + 1)];
  const end = words.indexOf("--");
  return words.filter((word, index) => !UNREAD.has(word) || (end >= 0 && index > end));
}
