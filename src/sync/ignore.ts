/**
 * Which paths stay at home, by git's own rules: nested ignore files, the deepest that has an opinion
 * decides, and within one file the last line that matches.
 */
import { existsSync, lstatSync, readFileSync } from "node:fs";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { type Guard, Guards } from "./guards.ts";
import { type IgnoreLine, IgnoreLines, toBytes } from "./ignore_lines.ts";
import { findRepository, gitFolder, readOptional, unreadable } from "./repository.ts";
import { TrackedFiles } from "./tracked_files.ts";

/** Ignore files of a folder; the later one overrides. */
const GIT_FILE = ".gitignore";
const OWN_FILE = ".gridignore";
const FILES = [GIT_FILE, OWN_FILE];
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
  /** What decides, there or not, and is no ignore file of the source or a folder below. */
  guards(): readonly Guard[];
}

/** The lines of one place, asked with paths relative to the folder they stand in. */
interface Level {
  readonly from: string;
  /** Path of the source below this level, with a `/` at its end, for levels above the source. */
  readonly above: string;
  /** Path of this level below the source, with a `/` at its end. */
  readonly below: string;
  readonly lines: IgnoreLines;
}

/** @throws {GridError} `sync` where an ignore file cannot be read */
export function openIgnoreRules(options: IgnoreOptions): IgnoreRules {
  const guards = new Guards();
  for (const path of outerFiles(options)) guards.add(path);
  const overriding = overridingLevels(options);
  const outer = outerLevels(options.source);
  const inner = new Map<string, readonly Level[]>();
  /** Repositories inside the source: the rules around them do not reach into them. */
  const borders = new Set<string>();
  const reading = (path: string) => guards.add(path);
  const tracked = new TrackedFiles(options.source, { borders, reading });

  /** Of what lies in the folder that was asked about last; most questions are about its neighbours. */
  let last: { readonly folder: string; readonly levels: readonly Level[] } | undefined;

  function levelsIn(folder: string): readonly Level[] {
    if (last?.folder !== folder) last = { folder, levels: gatherLevels(folder) };
    return last.levels;
  }

  /** Strongest first. */
  function gatherLevels(folder: string): Level[] {
    const levels = [...overriding];
    for (let at = folder; at !== ""; at = at.slice(0, Math.max(0, at.lastIndexOf("/")))) {
      levels.push(...inner.get(at) ?? []);
      if (borders.has(at)) return levels;
    }
    levels.push(...inner.get("") ?? [], ...outer);
    return levels;
  }

  return {
    enter(folder, names) {
      last = undefined;
      const isBorder = folder !== "" && names.includes(".git");
      if (isBorder) borders.add(folder);
      if (!isBorder && !FILES.some((name) => names.includes(name))) return;
      const below = folder === "" ? "" : `${folder}/`;
      const place = join(options.source, folder);
      if (names.includes(OWN_FILE) && isLink(join(place, OWN_FILE))) {
        guards.add(join(place, OWN_FILE));
      }
      const found = readLevels(place, below);
      if (isBorder) {
        guards.add(excludeFile(place));
        found.push(...excludeLevels(place, { below }));
      }
      if (found.length > 0) inner.set(folder, found);
    },
    find(path, isFolder) {
      const slash = path.lastIndexOf("/");
      const name = path.slice(slash + 1);
      const isGits = name === ".git" && isAskedFor(overriding, { path, isFolder });
      if (ALWAYS.has(name) && !isGits) return { from: "built in", pattern: `${name}/` };
      // What lies in `.git` is no file of the work tree.
      if (path.includes(".git") && /(^|\/)\.git(\/|$)/.test(path)) {
        return isGits ? undefined : decide(overriding, { path, isFolder });
      }
      return decide(levelsIn(path.slice(0, Math.max(0, slash))), { path, isFolder });
    },
    tracked(path, { from }) {
      const isOfGit = from.endsWith("/info/exclude") ||
        (!isAbsolute(from) && basename(from) === GIT_FILE);
      if (!isOfGit) return undefined;
      return tracked.find(path);
    },
    guards: () => guards.all,
  };
}

interface Asked {
  readonly path: string;
  readonly isFolder: boolean;
}

/** `exclude: ["!.git/"]`: the strongest line that speaks of it takes it in. */
function isAskedFor(overriding: readonly Level[], asked: Asked): boolean {
  return findLine(overriding, asked)?.line.takesIn ?? false;
}

function decide(levels: readonly Level[], asked: Asked): IgnoreRule | undefined {
  const found = findLine(levels, asked);
  if (found === undefined || found.line.takesIn) return undefined;
  return { from: found.from, pattern: found.line.text };
}

/** Only the path itself is asked about: who asks has not gone into a folder that is left out. */
function findLine(
  levels: readonly Level[],
  { path, isFolder }: Asked,
): { readonly from: string; readonly line: IgnoreLine } | undefined {
  const name = toBytes(path.slice(path.lastIndexOf("/") + 1));
  for (const { from, above, below, lines } of levels) {
    const line = lines.find(name, () => toBytes(above + path.slice(below.length)), isFolder);
    if (line !== undefined) return { from, line };
  }
  return undefined;
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
  // The source was asked for by name: nobody asks about itself or a folder above it.
  return levels;
}

/** What `outerLevels` and `overridingLevels` look at. */
function outerFiles({ source, excludeFrom }: IgnoreOptions): string[] {
  const files = excludeFrom === undefined ? [] : [excludeFrom];
  const root = findRepository(source);
  for (let folder = source;; folder = dirname(folder)) {
    files.push(join(folder, ".git"));
    if (folder === root || folder === dirname(folder)) break;
    if (root !== undefined) files.push(...FILES.map((name) => join(dirname(folder), name)));
  }
  return root === undefined ? files : [...files, excludeFile(root)];
}

function excludeFile(root: string): string {
  return join(gitFolder(root), "info", "exclude");
}

/** A repository's `info/exclude`. */
function excludeLevels(root: string, where: Partial<Pick<Level, "above" | "below">>): Level[] {
  const from = excludeFile(root);
  const text = readOptional(from);
  return text === undefined ? [] : [{ ...newLevel({ from, text }), ...where }];
}

function readLevels(folder: string, below: string): Level[] {
  return FILES.toReversed().flatMap((name) => {
    const from = `${below}${name}`;
    const path = join(folder, name);
    // git follows no link there.
    const text = name === GIT_FILE && isLink(path) ? undefined : readOptional(path);
    return text === undefined ? [] : [{ ...newLevel({ from, text }), below }];
  });
}

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() ?? false;
}

function newLevel({ from, text }: { readonly from: string; readonly text: string }): Level {
  return { from, above: "", below: "", lines: new IgnoreLines(text) };
}

function readRequired(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    throw unreadable(path, error);
  }
}
