/** The user's ssh configuration as one text, with everything that it includes and another `~`. */
import { globSync } from "node:fs";
import { dirname, isAbsolute, join } from "node:path";
import { GridError } from "../../core/errors.ts";
import { own } from "../../core/own.ts";
import { quote } from "../../core/shell.ts";
import { matchesHost } from "./known_hosts.ts";

/** Deeper than this OpenSSH itself gives up. */
const MOST_LEVELS = 16;

export interface ConfigTextOptions {
  /** What the user calls the host: a file included under `Host` counts for some only. */
  readonly alias: string;
  /** What `~` means. */
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
}

export interface ConfigText {
  readonly text: string;
  /** `Include` lines under a `Match`, which cannot be followed without asking `ssh`. */
  readonly notFollowed: readonly string[];
}

export function configText(file: string, options: ConfigTextOptions): ConfigText {
  const notFollowed: string[] = [];
  const folder = file.startsWith("/etc/ssh/") ? "/etc/ssh" : dirname(file);
  const lines = linesOf(file, { ...options, folder, notFollowed, level: 0 });
  return { text: lines.join("\n"), notFollowed };
}

interface Walk extends ConfigTextOptions {
  /** Where relative names start. */
  readonly folder: string;
  readonly notFollowed: string[];
  readonly level: number;
}

function linesOf(file: string, walk: Walk): string[] {
  if (walk.level > MOST_LEVELS) return [];
  /** The line that says when what follows counts. */
  let section = "Match all";
  return readIfThere(file).split("\n").flatMap((source) => {
    const line = source.trim().replaceAll(/(^|[\s="])~\//g, `$1${walk.home}/`);
    const [, keyword = "", value = ""] = /^(\w+)(?:\s*=\s*|\s+)(.*)$/.exec(line) ?? [];
    if (/^(host|match)$/i.test(keyword)) section = line;
    if (!/^include$/i.test(keyword)) return [line];
    if (/^match\s+(?!all\s*$)/i.test(section)) {
      walk.notFollowed.push(`${line} (${file})`);
      return [line];
    }
    const patterns = /^host\s*=?\s*(.*)$/i.exec(section)?.[1];
    const counts = patterns === undefined ||
      matchesHost(wordsOf(patterns).map((word) => word.toLowerCase()), walk.alias.toLowerCase());
    if (!counts) return [];
    const files = wordsOf(value).flatMap((pattern) => filesOf(pattern, walk));
    const deeper = { ...walk, level: walk.level + 1 };
    // The file's own sections end with it.
    return ["Match all", ...files.flatMap((path) => linesOf(path, deeper)), section];
  });
}

function filesOf(pattern: string, { env, folder }: Walk): string[] {
  const full = pattern.replaceAll(/\$\{(\w+)\}/g, (_, name) => own(env, name) ?? "");
  return globSync(isAbsolute(full) ? full : join(folder, full)).sort();
}

function wordsOf(text: string): string[] {
  return text.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', "")) ?? [];
}

/** @throws {GridError} `usage` where somebody else may have written what names programs to run */
function readIfThere(path: string): string {
  try {
    const { mode, uid } = Deno.statSync(path);
    const isOurs = uid === 0 || uid === Deno.uid();
    if (!isOurs || ((mode ?? 0) & 0o022) !== 0) throw changeable(path);
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.IsADirectory) {
      return "";
    }
    throw error;
  }
}

function changeable(path: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot use the ssh configuration ${path}: others may change it`,
    hint: `own it alone, as ssh asks too: chmod 600 ${quote(path)}`,
  });
}
