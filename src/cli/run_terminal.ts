import { relative, resolve } from "node:path";
import type { RunReader } from "../engine/reader.ts";
import type { RunFolder } from "../grid.ts";
import type { Clock } from "../core/clock.ts";
import { exists } from "../core/exists.ts";
import type { Place } from "../core/errors.ts";
import type { Store } from "../store/store.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import { createTerminal, type Terminal } from "../terminal/terminal.ts";
import type { CliContext } from "./context.ts";
import { usualMs } from "../store/usual.ts";
import { placesFromRepository } from "./repository_paths.ts";
import type { Session } from "./session.ts";
import type { Settings } from "./settings.ts";

export interface ShowOptions {
  readonly run: RunFolder;
  readonly context: CliContext;
  readonly settings: Settings;
  readonly clock: Clock;
  readonly store: Store;
  /** What runs; default: no file says where its steps are written. */
  readonly pipeline?: Pipeline | undefined;
  /** `stream`: one command's output as it is. `steps`: the picture of a pipeline. */
  readonly mode: "steps" | "stream";
}

/** Shows a run in this process's terminal, pipe or CI job, whoever runs it. */
export function showRun(options: ShowOptions): Terminal {
  const { run, context, settings, clock, store } = options;
  const folder = relative(context.cwd, run.folder);
  return createTerminal({
    stderr: (text) => context.stderr(text),
    // With --json, stdout belongs to the report alone.
    stdout: (bytes) => settings.json ? context.stderrBytes(bytes) : context.stdout(bytes),
    stderrBytes: (bytes) => context.stderrBytes(bytes),
    isTerminal: context.stderrIsTerminal,
    color: settings.color.stderr,
    width: () => context.columns("stderr"),
    height: () => context.rows(),
    mode: modeOf(options),
    clock,
    folder: folder.startsWith("..") ? run.folder : folder,
    placeOf: placesOf(options),
    usualMs: (pipeline) => usualMs(store, pipeline),
    exists: (path) => exists(resolve(context.cwd, path)),
  });
}

export interface RunTerminalOptions {
  readonly run: RunFolder;
  readonly session: Session;
  readonly context: CliContext;
  /** What runs; default: no file says where its steps are written. */
  readonly pipeline?: Pipeline;
  /** `stream`: one command's output as it is. `steps`: the picture of a pipeline. */
  readonly mode: "steps" | "stream";
}

/** The reader that shows a run of this process. */
export function openTerminal({ session, ...options }: RunTerminalOptions): RunReader {
  const { settings, grid } = session;
  const terminal = showRun({ ...options, settings, clock: grid.clock, store: grid.store });
  session.words.print = (text) => terminal.print(text);
  return terminal;
}

function modeOf({ mode, settings, context }: ShowOptions) {
  if (mode === "stream") return "stream";
  if (settings.quiet) return "quiet";
  // It cannot move its cursor: the shell of an editor, or a CI job with a pseudo-terminal.
  if (context.env["TERM"] === "dumb") return "plain";
  if (context.env["GITHUB_ACTIONS"] === "true") return "github";
  return context.env["GITLAB_CI"] === "true" ? "gitlab" : "pretty";
}

/** Looked up only when one is asked for: what goes well needs no places. */
function placesOf({ pipeline, context }: Pick<ShowOptions, "pipeline" | "context">) {
  let places: ReadonlyMap<string, Place> | undefined;
  return (step: string): Place | undefined => {
    if (pipeline === undefined || pipeline.file === "") return undefined;
    places ??= readPlaces(pipeline, context);
    return places.get(step);
  };
}

function readPlaces(pipeline: Pipeline, context: CliContext): ReadonlyMap<string, Place> {
  const moved = placesFromRepository(context);
  const steps = [...pipeline.steps, ...Object.values(pipeline.hooks).flat()];
  return new Map(steps.map(({ id, place }) => [id, moved(place)]));
}
