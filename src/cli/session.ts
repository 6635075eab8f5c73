/** What most commands need: settings, the diary switched on, and an open Grid. */
import type { Grid } from "../grid.ts";
import type { CliContext } from "./context.ts";
import { type GlobalFlags, readSettings, type Settings } from "./settings.ts";
import { VERSION } from "./version.ts";

export interface Session extends AsyncDisposable {
  readonly settings: Settings;
  readonly grid: Grid;
  /** Fires on Ctrl-C or SIGTERM with a `GridError` (`interrupted`). */
  readonly signal: AbortSignal;
  readonly words: Words;
}

/** Grid's own words besides a run's: to stderr, or above the picture of the run that is shown. */
export interface Words {
  print(text: string): void;
}

export async function openSession(flags: GlobalFlags, context: CliContext): Promise<Session> {
  const settings = readSettings(flags, context);
  const words: Words = { print: (text) => context.stderr(text) };
  await startDiary(settings, words);
  const { openGrid } = await import("../grid.ts");
  const grid = await openGrid({
    project: settings.project,
    configFile: settings.configFile,
    env: context.env,
    gridVersion: VERSION,
  });
  const interrupt = await watchSignals(context, words);
  return {
    settings,
    grid,
    signal: interrupt.signal,
    words,
    [Symbol.asyncDispose]: async () => {
      interrupt[Symbol.dispose]();
      await grid[Symbol.asyncDispose]();
    },
  };
}

async function startDiary(settings: Settings, words: Words): Promise<void> {
  const [{ configureLog }, { renderLogRecord }] = await Promise.all([
    import("../core/log.ts"),
    import("../terminal/log_line.ts"),
  ]);
  await configureLog({
    level: settings.logLevel,
    sink: (record) =>
      words.print(
        renderLogRecord(record, { format: settings.logFormat, color: settings.color.stderr }),
      ),
  });
}

/** The first signal asks everything to stop; the second ends the process at once. */
async function watchSignals(
  context: CliContext,
  words: Words,
): Promise<Disposable & { readonly signal: AbortSignal }> {
  const { GridError } = await import("../core/errors.ts");
  const controller = new AbortController();
  const listener = context.onSignal((name) => {
    if (controller.signal.aborted) {
      words.print("left; what still runs on nodes: grid ps\n");
      context.exit(name === "SIGINT" ? 130 : 143);
    }
    words.print(`\n${name}: stopping; once more to leave at once\n`);
    const code = name === "SIGINT" ? "interrupted" : "terminated";
    controller.abort(new GridError({ code, message: `interrupted by ${name}` }));
  });
  return { signal: controller.signal, [Symbol.dispose]: () => listener[Symbol.dispose]() };
}
