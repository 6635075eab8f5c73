import type { Command } from "../command_line/command.ts";
import type { NodeHealth } from "../../cluster/node.ts";
import type { CommandContext } from "../command_module.ts";
import { lazy } from "../../core/lazy.ts";
import { healthDocument } from "../health_document.ts";
import { nameList } from "../option_values.ts";
import { openSession, type Session } from "../session.ts";
import type { GlobalFlags } from "../settings.ts";
import { openPreview, openWatchScreen } from "../watch_screen.ts";

interface HealthFlags extends GlobalFlags {
  readonly watch?: true;
  readonly fresh?: true;
  readonly explain?: true;
  readonly node?: readonly string[];
  readonly nodes?: readonly string[];
}

/** Between two looks of `--watch`. */
const WATCH_MS = 2000;
/** A table that is there sooner needs no picture before it. */
const PREVIEW_MS = 300;

export function define(command: Command, context: CommandContext): void {
  command
    .option("--watch", "look again every two seconds until Ctrl-C")
    .option("--fresh", "ask the nodes even where a recent answer is at hand")
    .option("--explain", "show what each score is made of, and every GPU")
    .option("--node <name>", "only this one", { read: nameList })
    .option("--nodes <names>", "only these, separated by commas", { read: nameList })
    .action<HealthFlags>(async (flags) => {
      await using session = await openSession(flags, context);
      const options = { flags, context };
      context.setExitCode(
        flags.watch ? await watch(session, options) : await show(session, options),
      );
    });
}

interface ShowOptions {
  readonly flags: HealthFlags;
  readonly context: CommandContext;
}

/** 0 while any node can be used; 3 when none can. */
async function show(session: Session, options: ShowOptions): Promise<number> {
  const { grid, signal } = session;
  const { flags, context } = options;
  const draw = await drawer(session, options);
  const rows = await withPreview();
  context.stdout(draw(rows));
  return rows.some(({ status }) => status === "ok") ? 0 : 3;

  /** Whoever answers is seen at once, where the slowest take their time. */
  async function withPreview(): Promise<readonly NodeHealth[]> {
    using preview = openPreview(context);
    const { monotonic } = grid.clock;
    const startedAt = monotonic();
    let latest: readonly NodeHealth[] = [];
    const count = flags.node === undefined && flags.nodes === undefined
      ? grid.cluster.nodes.length
      : [...flags.node ?? [], ...flags.nodes ?? []].length;
    const paint = () => {
      timer = undefined;
      const left = count - latest.length;
      // A node has one line at least; what has no room is not made only to be thrown away.
      if (left === 0 || !preview.hasRoom(latest.length)) return;
      const rest = `… ${left} more ${left === 1 ? "has" : "have"} not answered yet`;
      preview.draw(`${draw(latest)}${rest}\n`);
    };
    let timer: ReturnType<typeof setTimeout> | undefined;
    const onRows = (rows: readonly NodeHealth[]) => {
      latest = rows;
      timer ??= setTimeout(paint, Math.max(0, startedAt + PREVIEW_MS - monotonic()));
    };
    try {
      return await grid.cluster.health({
        signal,
        isLast: true,
        fresh: flags.fresh ?? false,
        ...namesOf(flags),
        ...(preview.isLive && !session.settings.json && { onRows }),
      });
    } finally {
      clearTimeout(timer);
    }
  }
}

/** Until Ctrl-C, which is how it ends, or until nobody reads it. */
async function watch(session: Session, options: ShowOptions): Promise<number> {
  const { grid, signal, words } = session;
  const { context, flags } = options;
  const draw = await drawer(session, options);
  using _pipes = session.watchOutput();
  // The picture goes away by itself.
  words.print = () => {};
  const screen = openWatchScreen(context);
  try {
    for (let isFirst = true;; isFirst = false) {
      const paint = (rows: readonly NodeHealth[]) => screen.draw(draw(rows));
      const rows = await grid.cluster.health({
        signal,
        fresh: true,
        ...namesOf(flags),
        // Later looks have a picture already, which only whole ones replace.
        ...(isFirst && screen.isLive && { onRows: paint }),
      });
      screen.draw(draw(rows));
      await grid.clock.sleep(WATCH_MS, { signal });
    }
  } catch (thrown) {
    if (!signal.aborted || signal.reason !== thrown) throw thrown;
    return signal.reason.exitCode ?? 130;
  } finally {
    screen[Symbol.dispose]();
  }
}

function namesOf({ node = [], nodes = [] }: HealthFlags): { readonly among?: readonly string[] } {
  const names = [...node, ...nodes];
  return names.length === 0 ? {} : { among: names };
}

/** The rows as one text; its width is that of the terminal at that moment. */
async function drawer(
  { grid, settings }: Session,
  { flags, context }: ShowOptions,
): Promise<(rows: readonly NodeHealth[]) => string> {
  if (settings.json) {
    return (rows) => healthDocument(rows, flags.watch ? 0 : 2);
  }
  const { renderHealth } = await lazy<typeof import("../../terminal/tables/health_table.ts")>(
    "../../terminal/tables/health_table.ts",
    import.meta.url,
  );
  return (rows) =>
    renderHealth(rows, {
      color: settings.color.stdout,
      width: context.columns("stdout"),
      now: grid.clock.now(),
      explain: flags.explain ?? false,
      isDumb: context.env["TERM"] === "dumb",
    });
}
