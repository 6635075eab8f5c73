/**
 * Which paths stay at home, by git's own rules: nested ignore files, the deepest that has an opinion
 * decides, and within one file the last line that matches.
 */
import createMatcher, { type Ignore } from "npm:ignore@7.0.16";
import { Buffer } from "node:buffer";
import { existsSync, readFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { findRepository, gitFolder, readOptional, unreadable } from "./repository.ts";
import { TrackedFiles } from "./tracked_files.ts";

/** Ignore files of a folder; the later one overrides. */
const FILES = [".gitignore", ".gridignore"];
/** Never synced, whatever the rules say: Grid's own state and git's. */
const ALWAYS = new Set([".grid", ".git"]);

export interface IgnoreOptions {
  /** Absolute folder to be synced. */
  readonly source: string;
  /** Patterns that override every ignore file. */
  readonly exclude: readonly string[];
  /** An ignore file that overrides those of the folders; weaker than `exclude`. */
  readonly excludeFrom: string | undefined;
}

/** Why a path is left out: where the rule stands and how it reads. */
export interface IgnoreRule {
  readonly from: string;
  readonly pattern: string;
}

export interface IgnoreRules {
  /** The rule that leaves the path out, or undefined where it is synced. */
  find(path: string, isFolder: boolean): IgnoreRule | undefined;
  /**
   * What git holds stays git's although a rule of git's own leaves it out: `itself`, or something `below`
   * it. Rules of Grid's own, and of the step, are meant.
   */
  tracked(path: string, rule: IgnoreRule): "itself" | "below" | undefined;
  /** Reads the ignore files among a folder's names; call it before asking about what lies in it. */
  enter(folder: string, names: readonly string[]): void;
}

/** The lines of one place, asked with paths relative to the folder they stand in. */
interface Level {
  readonly from: string;
  /** Path of the source below this level, with a `/` at its end, for levels above the source. */
  readonly above: string;
  /** Path of this level below the source, with a `/` at its end. */
  readonly below: string;
  readonly matcher: Ignore;
  /** Cheap and generous: a name that fails it is matched by no line. */
  readonly mayMatch: RegExp;
}

/** @throws {GridError} `sync` where an ignore file cannot be read */
export function openIgnoreRules(options: IgnoreOptions): IgnoreRules {
  const overriding = overridingLevels(options);
  const outer = outerLevels(options.source);
  const inner = new Map<string, readonly Level[]>();
  /** Repositories inside the source: the rules around them do not reach into them. */
  const borders = new Set<string>();
  const tracked = new TrackedFiles(options.source, borders);

  /** Strongest first. */
  function levelsFor(path: string): Level[] {
    const levels = [...overriding];
    for (let end = path.lastIndexOf("/"); end >= 0; end = path.lastIndexOf("/", end - 1)) {
      const folder = path.slice(0, end);
      levels.push(...inner.get(folder) ?? []);
      if (borders.has(folder)) return levels;
      if (end === 0) break;
    }
    levels.push(...inner.get("") ?? [], ...outer);
    return levels;
  }

  return {
    enter(folder, names) {
      const isBorder = folder !== "" && names.includes(".git");
      if (isBorder) borders.add(folder);
      if (!isBorder && !FILES.some((name) => names.includes(name))) return;
      const below = folder === "" ? "" : `${folder}/`;
      const found = readLevels(join(options.source, folder), below);
      if (isBorder) found.push(...excludeLevels(join(options.source, folder), { below }));
      if (found.length > 0) inner.set(folder, found);
    },
    find(path, isFolder) {
      const name = path.slice(path.lastIndexOf("/") + 1);
      const isGits = name === ".git" && isAskedFor(overriding, isFolder ? `${path}/` : path);
      if (ALWAYS.has(name) && !isGits) return { from: "built in", pattern: `${name}/` };
      // What lies in `.git` is no file of the work tree.
      if (/(^|\/)\.git(\/|$)/.test(path)) {
        return isGits ? undefined : decide(overriding, isFolder ? `${path}/` : path);
      }
      return decide(levelsFor(path), isFolder ? `${path}/` : path);
    },
    tracked(path, { from }) {
      const isOfGit = from.endsWith("/info/exclude") ||
        (!isAbsolute(from) && basename(from) === ".gitignore");
      if (!isOfGit) return undefined;
      return tracked.find(path);
    },
  };
}

/** `exclude: ["!.git/"]`: the strongest line that speaks of it takes it in. */
function isAskedFor(overriding: readonly Level[], path: string): boolean {
  for (const level of overriding) {
    const { ignored, unignored } = level.matcher.test(asBytes(path));
    if (ignored || unignored) return unignored;
  }
  return false;
}

function decide(levels: readonly Level[], path: string): IgnoreRule | undefined {
  const name = asBytes(path.slice(path.lastIndexOf("/", path.length - 2) + 1));
  for (const [index, level] of levels.entries()) {
    if (!level.mayMatch.test(name)) continue;
    const verdict = level.matcher.test(asBytes(level.above + path.slice(level.below.length)));
    if (verdict.ignored) {
      return { from: level.from, pattern: asText(verdict.rule?.pattern ?? "") };
    }
    if (!verdict.unignored) continue;
    if (path.endsWith("/")) overrule(levels.slice(index + 1), path);
    return undefined;
  }
  return undefined;
}

/**
 * A folder taken back in by a stronger level must not count as ignored when a weaker one is asked
 * about its content: git looks at each path by itself once the folder above is in.
 */
function overrule(weaker: readonly Level[], folder: string): void {
  for (const level of weaker) {
    const path = asBytes(level.above + folder.slice(level.below.length));
    if (level.matcher.test(path).ignored) level.matcher.add(`!/${escapePattern(path)}`);
  }
}

function overridingLevels(options: IgnoreOptions): Level[] {
  const levels: Level[] = [];
  if (options.exclude.length > 0) {
    levels.push(newLevel({ from: "exclude", text: options.exclude.join("\n") }));
  }
  const file = options.excludeFrom;
  if (file !== undefined && !isHonouredAnyway(file, options.source)) {
    levels.push(newLevel({ from: file, text: readRequired(file) }));
  }
  return levels;
}

/** The folder's own ignore files count with their usual strength, named or not. */
function isHonouredAnyway(file: string, source: string): boolean {
  return FILES.some((name) => resolve(file) === join(source, name)) && existsSync(file);
}

/** Ignore files between the root of the git repository and the source, and `info/exclude`. */
function outerLevels(source: string): Level[] {
  const root = findRepository(source);
  if (root === undefined) return [];
  const levels: Level[] = [];
  for (let folder = source; folder !== root;) {
    folder = dirname(folder);
    const above = `${relative(folder, source)}/`;
    for (const level of readLevels(folder, "")) levels.push({ ...level, above });
  }
  const above = source === root ? "" : `${relative(root, source)}/`;
  levels.push(...excludeLevels(root, { above }));
  // The source was asked for by name, so no rule about itself or a folder above it counts.
  for (const level of levels) takeIn(level);
  return levels;
}

/** A repository's `info/exclude`. */
function excludeLevels(root: string, where: Partial<Pick<Level, "above" | "below">>): Level[] {
  const from = join(gitFolder(root), "info", "exclude");
  const text = readOptional(from);
  return text === undefined ? [] : [{ ...newLevel({ from, text }), ...where }];
}

function takeIn(level: Level): void {
  const parts = asBytes(level.above).split("/").slice(0, -1);
  for (let depth = 1; depth <= parts.length; depth++) {
    const path = `${parts.slice(0, depth).join("/")}/`;
    if (level.matcher.test(path).ignored) level.matcher.add(`!/${escapePattern(path)}`);
  }
}

function readLevels(folder: string, below: string): Level[] {
  return FILES.toReversed().flatMap((name) => {
    const from = `${below}${name}`;
    const text = readOptional(join(folder, name));
    return text === undefined ? [] : [{ ...newLevel({ from, text }), below }];
  });
}

function newLevel(source: { readonly from: string; readonly text: string }): Level {
  const text = asGitReads(source.text);
  const matcher = createMatcher({ ignorecase: false, allowRelativePaths: true }).add(text);
  return { from: source.from, above: "", below: "", matcher, mayMatch: prefilter(text) };
}

/** `?` and classes stand for bytes in git: every byte of a name or pattern as one character. */
function asBytes(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

/** The other way round, for what people read. */
function asText(bytes: string): string {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, "latin1").toString("utf8");
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}

/**
 * The lines as git takes them: without the mark that some editors put first, and with a tab at the end of
 * a line as part of its pattern, which the matcher would drop as it drops blanks.
 */
function asGitReads(text: string): string {
  const lines = text.replace(/^\ufeff/, "").split(/\r?\n|\r$/);
  return asBytes(
    lines.map((line) => {
      const [, head = "", tabs = ""] = /^(.*?)(\t*) *$/s.exec(line) ?? [];
      return tabs === "" || head.endsWith("\\") ? line : head + tabs.replaceAll("\t", "[\t]");
    }).join("\n"),
  );
}

/**
 * Most paths match no line, and this finds that out at a tenth of the price. Only the last part of
 * each pattern counts, and whatever is not plain text in it stands for anything.
 */
function prefilter(text: string): RegExp {
  const names = text.split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) =>
      line.replace(/^!/, "").replace(/\/?[ ]*$/, (end) => end.includes(" ") ? "*" : "")
    )
    .map((line) => line.slice(line.lastIndexOf("/") + 1))
    .filter((name) => name !== "")
    .map((name) => name.replaceAll(/[[\\].*$|[*?]+/g, "*"))
    .map((name) => name.split("*").map(escapeForRegExp).join(".*"));
  return new RegExp(names.length === 0 ? "$^" : `^(?:${names.join("|")})/?$`, "s");
}

function escapeForRegExp(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

function readRequired(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw unreadable(path, error);
  }
}

function escapePattern(path: string): string {
  return path.replaceAll(/[\\*?[\]!# ]/g, "\\$&");
}
