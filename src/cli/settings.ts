/** What the options that every command takes mean, decided once. */
import { dirname, join, resolve } from "node:path";
import type { LogLevel } from "../core/log.ts";
import type { CliContext } from "./context.ts";

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

export function readSettings(flags: GlobalFlags, context: CliContext): Settings {
  const color = (isTerminal: boolean) => {
    if (flags.color === "always") return true;
    if (flags.color === "never" || context.env["NO_COLOR"]) return false;
    return isTerminal;
  };
  return {
    project: findProject(context.cwd),
    configFile: flags.config === undefined ? undefined : resolve(context.cwd, flags.config),
    json: flags.json ?? false,
    quiet: flags.quiet ?? false,
    logLevel: (flags.logLevel ?? "warn") as LogLevel,
    logFormat: flags.logFormat === "json" ? "json" : "pretty",
    color: { stderr: color(context.stderrIsTerminal), stdout: color(context.stdoutIsTerminal) },
  };
}

/** What marks a project folder, as `.git` marks a repository. */
const MARKS = ["config/cluster_config.yaml", ".grid"];

/** The nearest folder upward that is a project; the current one where none is. */
export function findProject(cwd: string): string {
  for (let folder = cwd;; folder = dirname(folder)) {
    if (MARKS.some((mark) => exists(join(folder, mark)))) return folder;
    if (dirname(folder) === folder) return cwd;
  }
}

/** Without `node:fs`, whose loading takes as long as reading a pipeline. */
function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch {
    return false; // not there, or not ours to see: no mark either way
  }
}
