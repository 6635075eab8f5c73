/** Which files an answer of `ssh -G` came from: those of the user and the system, and what they include. */
import { own } from "../../core/own.ts";
import { globSync, statSync } from "node:fs";
import { isAbsolute, join } from "node:path";

/** Deeper than this OpenSSH itself gives up. */
const MOST_LEVELS = 16;

export interface ConfigFilesOptions {
  readonly home: string;
  readonly env: Readonly<Record<string, string>>;
}

/** How these files stand now; another stamp means that an answer may be another one. */
export function stampOf(paths: readonly string[]): string {
  return paths.map((path) => {
    // Of Deno's own, an error is made for each that is not there.
    const found = statSync(path, { throwIfNoEntry: false });
    return found === undefined ? "-" : `${found.mtimeMs}:${found.size}`;
  }).join(" ");
}

/**
 * The files themselves, every file that they include, and the folders where a file may come to match
 * an `Include`. Conditions (`Host`, `Match`) are passed over: too many files do no harm.
 */
export function configFiles(files: readonly string[], options: ConfigFilesOptions): string[] {
  const found = new Set<string>();
  for (const file of files) {
    addFile(file, { found, folder: folderOf(file, options.home), level: 0, ...options });
  }
  return [...found];
}

interface Walk extends ConfigFilesOptions {
  readonly found: Set<string>;
  /** Where relative names start. */
  readonly folder: string;
  readonly level: number;
}

function addFile(file: string, walk: Walk): void {
  if (walk.found.has(file) || walk.level > MOST_LEVELS) return;
  walk.found.add(file);
  for (const pattern of includesOf(readIfFile(file))) {
    for (const path of watchedBy(absolutePattern(pattern, walk))) {
      addFile(path, { ...walk, level: walk.level + 1 });
    }
  }
}

/** Patterns of all `Include` lines, as written. */
function includesOf(text: string): string[] {
  return text.split("\n").flatMap((line) => {
    const words = /^\s*include(?:\s*=\s*|\s+)(.*)$/i.exec(line)?.[1];
    return words?.match(/"[^"]*"|\S+/g)?.map((word) => word.replaceAll('"', "")) ?? [];
  });
}

/** What an `Include` line brings in now, in ssh's order. */
export function includedFiles(
  value: string,
  { file, home, env }: ConfigFilesOptions & { readonly file: string },
): string[] {
  const folder = folderOf(file, home);
  return includesOf(`include ${value}`).flatMap((pattern) => {
    const path = absolutePattern(pattern, { home, env, folder });
    return /[*?[]/.test(path) ? globSync(path).toSorted() : [path];
  });
}

/** Where relative names start. */
function folderOf(file: string, home: string): string {
  return file.startsWith("/etc/ssh/") ? "/etc/ssh" : join(home, ".ssh");
}

function absolutePattern(
  pattern: string,
  { home, env, folder }: ConfigFilesOptions & { readonly folder: string },
): string {
  const full = pattern.replaceAll(/\$\{(\w+)\}/g, (_, name) => own(env, name) ?? "");
  if (full === "~" || full.startsWith("~/")) return join(home, full.slice(1));
  return isAbsolute(full) ? full : join(folder, full);
}

/** What matches now, and the folders that decide what will; a plain name counts though it is not there. */
function watchedBy(pattern: string): string[] {
  if (!/[*?[]/.test(pattern)) return [pattern];
  const parts = pattern.split("/");
  const first = parts.findIndex((part) => /[*?[]/.test(part));
  const nearest = parts.slice(0, first).join("/") || "/";
  const folders = parts.slice(first, -1).map((_, index) =>
    parts.slice(0, first + index + 1).join("/")
  );
  return [nearest, ...[...folders, pattern].flatMap((path) => globSync(path))];
}

export function readIfFile(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    // A folder is watched for files that come to it; what cannot be read is ssh's to complain about.
    if (
      error instanceof Deno.errors.NotFound || error instanceof Deno.errors.IsADirectory ||
      error instanceof Deno.errors.PermissionDenied
    ) return "";
    throw error;
  }
}
