/** `grid submit …`: a run that no closed terminal, hang-up or logout of ours ends. */
import { openGround } from "../store/ground.ts";
import { openStore } from "../store/open.ts";
import type { CommandContext } from "./command_module.ts";
import { GLOBAL_OPTIONS } from "./global_options.ts";
import { type Begun, type NotBegun, startRunner } from "./runner_elsewhere.ts";
import { type GlobalFlags, readSettings } from "./settings.ts";

export interface SubmitOptions {
  readonly flags: GlobalFlags;
  /** Its arguments are those of `grid submit`, which `grid run` takes, too. */
  readonly context: CommandContext;
}

/** @throws {GridError} `conflict` where the runner says nothing for a minute */
export async function submitRun({ flags, context }: SubmitOptions): Promise<Begun | NotBegun> {
  const { project } = readSettings(flags, context);
  using store = openStore(openGround(project));
  const { cwd, env } = context;
  return await startRunner(asRun(context.args), { project, store, cwd, env });
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
