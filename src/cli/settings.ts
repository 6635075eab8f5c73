/** What the options that every command takes mean, decided once. */
import { join, relative, resolve } from "node:path";
import { exists } from "../core/exists.ts";
import type { LogLevel } from "../core/log.ts";
import { oneLine } from "../terminal/harmless.ts";
import type { CliContext } from "./context.ts";
import {
  checkOwners,
  findProject,
  type Foreign,
  ownerWords,
  thisOnlooker,
} from "./project_folder.ts";

/** The values of the options that every command takes. */
export interface GlobalFlags {
  readonly config?: string;
  readonly json?: true;
  readonly logLevel?: string;
  readonly logFormat?: string;
  readonly quiet?: true;
  readonly color?: string;
}

export interface Settings {
  /** Absolute. */
  readonly project: string;
  readonly configFile: string | undefined;
  readonly json: boolean;
  readonly quiet: boolean;
  readonly logLevel: LogLevel;
  readonly logFormat: "pretty" | "json";
  /** Colours on stderr and on stdout. */
  readonly color: { readonly stderr: boolean; readonly stdout: boolean };
}

/**
 * @throws {GridError} `permission` where the project is somebody else's and nobody said that this is
 * right
 */
export function readSettings(flags: GlobalFlags, context: CliContext): Settings {
  const color = (isTerminal: boolean) => {
    if (flags.color === "always") return true;
    if (flags.color === "never" || context.env["NO_COLOR"] || context.env["TERM"] === "dumb") {
      return false;
    }
    return isTerminal;
  };
  const onlooker = thisOnlooker(context.env);
  const { project, passedBy } = findProject(context.cwd, onlooker);
  const config = flags.config ?? (context.env["GRID_CONFIG"] || undefined);
  checkOwners(project, { onlooker, configIsNamed: config !== undefined });
  const settings: Settings = {
    project,
    configFile: config === undefined ? undefined : resolve(context.cwd, config),
    json: flags.json ?? false,
    quiet: flags.quiet ?? false,
    logLevel: (flags.logLevel ?? "warn") as LogLevel,
    logFormat: flags.logFormat === "json" ? "json" : "pretty",
    color: { stderr: color(context.stderrIsTerminal), stdout: color(context.stdoutIsTerminal) },
  };
  tellChoice(settings, { passedBy, context });
  return settings;
}

const told = new WeakSet<CliContext>();

/** Once per command: what was taken from elsewhere, and what was not although it lies there. */
function tellChoice(settings: Settings, { passedBy, context }: {
  readonly passedBy: readonly Foreign[];
  readonly context: CliContext;
}): void {
  const { project, configFile, quiet } = settings;
  if (quiet || told.has(context)) return;
  told.add(context);
  for (const foreign of passedBy) {
    context.stderr(`note: ${oneLine(ownerWords(foreign))}, and is not used\n`);
  }
  const config = join(project, "config", "cluster_config.yaml");
  if (configFile === undefined && project !== context.cwd && exists(config)) {
    context.stderr(`note: nodes are those of ${oneLine(relative(context.cwd, config))}\n`);
  } else if (project !== context.cwd && !exists(config)) {
    context.stderr(
      `note: the project is ${oneLine(relative(context.cwd, project))}, for its .grid\n`,
    );
  }
}
