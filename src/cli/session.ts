/** What most commands need: settings, the diary switched on, and an open Grid. */
import { lazy } from "../core/lazy.ts";
import { configureLog } from "../core/log.ts";
import type { Grid } from "../grid.ts";
import type { CliContext } from "./context.ts";
import { type GlobalFlags, readSettings, type Settings } from "./settings.ts";
import { VERSION } from "../core/version.ts";

export interface Session extends AsyncDisposable {
  readonly settings: Settings;
  readonly grid: Grid;
  /** Fires on Ctrl-C or SIGTERM with a `GridError` (`interrupted`). */
  readonly signal: AbortSignal;
  readonly words: Words;
  /**
   * From now on, nobody reading our output is a wish to stop too: what runs on nodes is ended.
   * Output that finds no room is told once, and the run goes on: its logs have it.
   */
  watchOutput(): Disposable;
}

/** Grid's own words besides a run's: to stderr, or above the picture of the run that is shown. */
export interface Words {
  print(text: string): void;
}

export async function openSession(flags: GlobalFlags, context: CliContext): Promise<Session> {
  const settings = readSettings(flags, context);
  const words: Words = { print: (text) => context.stderr(text) };
  await startDiary(settings, words);
  const { openGrid } = await lazy<typeof import("../grid.ts")>("../grid.ts", import.meta.url);
  const grid = await openGrid({
    project: settings.project,
    configFile: settings.configFile,
    env: context.env,
    gridVersion: VERSION,
  });
  const interrupt = await watchSignals(context, words);
  const { watchEventLoop } = await lazy<typeof import("./watchdog.ts")>(
    "./watchdog.ts",
    import.meta.url,
  );
  const watchdog = watchEventLoop();
  return {
    settings,
    grid,
    signal: interrupt.signal,
    words,
    watchOutput: () =>
      context.onOutputProblem({
        closed: () => interrupt.closedPipe(),
        lost: ({ message }) =>
          words.print(`warning: ${message}; the run goes on, and its logs have everything\n`),
      }),
    [Symbol.asyncDispose]: async () => {
      interrupt[Symbol.dispose]();
      await grid[Symbol.asyncDispose]();
      await watchdog[Symbol.asyncDispose]();
    },
  };
}

async function startDiary(settings: Settings, words: Words): Promise<void> {
  const { renderLogRecord } = await lazy<typeof import("../terminal/log_line.ts")>(
    "../terminal/log_line.ts",
    import.meta.url,
  );
  configureLog({
    level: settings.logLevel,
    sink: (record) =>
      words.print(
        renderLogRecord(record, { format: settings.logFormat, color: settings.color.stderr }),
      ),
  });
}

interface Interrupt extends Disposable {
  readonly signal: AbortSignal;
  /** Asks everything to stop, as if nobody wanted the output any more. */
  closedPipe(): void;
}

/** The first signal asks everything to stop; the second ends the process at once. */
async function watchSignals(context: CliContext, words: Words): Promise<Interrupt> {
  const { GridError } = await lazy<typeof import("../core/errors.ts")>(
    "../core/errors.ts",
    import.meta.url,
  );
  const controller = new AbortController();
  let signals = 0;
  const listener = context.onSignal((name) => {
    if (++signals > 1) {
      words.print("left; what still runs on nodes: grid ps\n");
      context.exit(name === "SIGINT" ? 130 : 143);
    }
    words.print(`\n${name}: stopping; once more to leave at once\n`);
    // The machine goes down: what a restart goes on with is left as it is.
    if (name === "SIGTERM" && context.restart !== undefined) context.exit(143);
    const code = name === "SIGINT" ? "interrupted" : "terminated";
    controller.abort(new GridError({ code, message: `interrupted by ${name}` }));
  });
  return {
    signal: controller.signal,
    closedPipe: () => {
      const message = "the reader of its output went away";
      controller.abort(new GridError({ code: "closed-pipe", message }));
    },
    [Symbol.dispose]: () => listener[Symbol.dispose](),
  };
}
