import type { Command } from "../command_line/command.ts";
import type { CommandContext } from "../command_module.ts";
import { nameList } from "../option_values.ts";
import { openSession, type Session } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";

interface HealthFlags extends GlobalFlags {
  readonly watch?: true;
  readonly fresh?: true;
  readonly explain?: true;
  readonly nodes?: readonly string[];
}

/** Between two looks of `--watch`. */
const WATCH_MS = 2000;
const CLEAR_SCREEN = "\x1b[H\x1b[2J";

export function define(command: Command, context: CommandContext): void {
  command
    .option("--watch", "look again every two seconds until Ctrl-C")
    .option("--fresh", "ask the nodes even where a recent answer is at hand")
    .option("--explain", "show what each score is made of, and every GPU")
    .option("--nodes <names>", "only these, separated by commas", { read: nameList })
    .action<HealthFlags>(async (flags) => {
      await using session = await openSession(flags, context);
      context.setExitCode(await show(session, { flags, context }));
    });
}

interface ShowOptions {
  readonly flags: HealthFlags;
  readonly context: CommandContext;
}

/** 0 while any node can be used; 3 when none can. */
async function show(session: Session, { flags, context }: ShowOptions): Promise<number> {
  const { grid, signal, settings } = session;
  const { renderHealth } = await import("../../terminal/tables/health_table.ts");
  for (;;) {
    const rows = await grid.cluster.health({
      signal,
      fresh: flags.fresh ?? flags.watch ?? false,
      ...(flags.nodes && { among: flags.nodes }),
    });
    if (settings.json) {
      context.stdout(JSON.stringify({ nodes: rows }, null, flags.watch ? 0 : 2) + "\n");
    } else {
      if (flags.watch && context.stdoutIsTerminal) context.stdout(CLEAR_SCREEN);
      context.stdout(renderHealth(rows, {
        color: settings.color.stdout,
        width: context.columns("stdout"),
        now: grid.clock.now(),
        explain: flags.explain ?? false,
      }));
    }
    if (!flags.watch) return rows.some(({ status }) => status === "ok") ? 0 : 3;
    await grid.clock.sleep(WATCH_MS, { signal });
  }
}
