/** Looks at every file of the source once; ignored folders are never entered. */
import { dirname, isAbsolute, join, normalize } from "node:path";
import { GridError } from "../core/errors.ts";
import { Turns } from "../core/turns.ts";
import { comparePaths, type EntryType } from "./entry.ts";
import { type FileState, isExecutable, readState } from "./file_state.ts";
import { readProblem, type Skipped } from "./read_problem.ts";
import type { SourceEntry } from "./hash.ts";
import type { IgnoreRule, IgnoreRules } from "./ignore.ts";

export interface Walk {
  /** Sorted by path; files not yet hashed. */
  readonly found: readonly SourceEntry[];
  /** Things that cannot be synced, with the reason. */
  readonly skipped: readonly Skipped[];
  /** Paths that a rule left out; an ignored folder stands for all it holds. */
  readonly ignored: readonly { readonly path: string; readonly rule: IgnoreRule }[];
}

export interface WalkOptions {
  readonly source: string;
  readonly rules: IgnoreRules;
  /** Of the source's own folder only this name; no rule leaves it out. */
  readonly only?: string | undefined;
  readonly followSymlinks: boolean;
  readonly signal: AbortSignal;
  /** Hears now and then of how many bytes the files are that were found so far. */
  readonly looked?: ((bytes: number) => void) | undefined;
}

/** Between two looks at the clock. */
const FOLDERS_PER_LOOK = 10;
const NAMES_PER_STEP = 100;

/** @throws {GridError} `sync` where the source is not a readable folder */
export async function walkSource(options: WalkOptions): Promise<Walk> {
  const walker = new Walker(options);
  const turns = new Turns(options);
  let steps = 0;
  while (walker.step()) {
    if (++steps % FOLDERS_PER_LOOK > 0 || !turns.areDue) continue;
    options.looked?.(walker.bytes);
    await turns.next();
  }
  options.looked?.(walker.bytes);
  return walker.result();
}

interface Pending {
  readonly path: string;
  /** Device and inode of every folder from the root down to here, for loops of followed links. */
  readonly trail: readonly string[];
  /** A rule leaves it out, but git holds some of its files: nothing else of it is looked at. */
  readonly onlyTracked?: IgnoreRule;
}

class Walker {
  readonly #options: WalkOptions;
  readonly #root: string;
  readonly #pending: Pending[] = [];
  readonly #steps: Iterator<void> = this.#walk();
  readonly #found: SourceEntry[] = [];
  readonly #skipped: Skipped[] = [];
  readonly #ignored: { path: string; rule: IgnoreRule }[] = [];
  /** Of the files found so far. */
  bytes = 0;

  constructor(options: WalkOptions) {
    this.#options = options;
    const root = openRoot(options.source);
    this.#root = root.path;
    this.#pending.push({ path: "", trail: [root.identity] });
  }

  /** Reads one folder, or some of a large one; false when there is none left. */
  step(): boolean {
    return this.#steps.next().done !== true;
  }

  *#walk(): Generator<void> {
    for (let folder = this.#pending.pop(); folder !== undefined; folder = this.#pending.pop()) {
      try {
        yield* this.#enter(folder);
      } catch (error) {
        if (folder.path === "") throw unreadableRoot(this.#options.source, error);
        this.#skipped.push(readProblem(folder.path, error));
      }
      yield;
    }
  }

  *#enter(folder: Pending): Generator<void> {
    const prefix = folder.path === "" ? "" : `${folder.path}/`;
    const { only, source, rules } = this.#options;
    if (only !== undefined && folder.path === "") return this.#takeOnly(only, folder);
    const names = [...Deno.readDirSync(`${source}/${folder.path}`)].map((entry) => entry.name);
    rules.enter(folder.path, names);
    let count = 0;
    for (const name of this.#told(names, prefix)) {
      this.#look(prefix + name, folder);
      if (++count % NAMES_PER_STEP === 0) yield;
    }
  }

  /**
   * The runtime replaces bytes that are not UTF-8, and so may tell of two names as one. What it then finds by
   * that name is the file whose name really is that.
   */
  #told(names: readonly string[], prefix: string): Iterable<string> {
    const told = new Set(names);
    const twice = names.length === told.size
      ? []
      : names.filter((name, at) => names.indexOf(name) < at);
    for (const name of twice) this.#skip(prefix + name, "its name is not valid UTF-8");
    return told;
  }

  result(): Walk {
    return {
      found: this.#found.toSorted((a, b) => comparePaths(a.path, b.path)),
      skipped: this.#skipped.toSorted((a, b) => comparePaths(a.path, b.path)),
      ignored: this.#ignored.toSorted((a, b) => comparePaths(a.path, b.path)),
    };
  }

  /** Asked for by its name, so that no rule leaves it out; what a link leads to is meant. */
  #takeOnly(name: string, parent: Pending): void {
    const state = readState(`${this.#options.source}/${name}`, true);
    if (state !== undefined) this.#take(name, state, parent);
  }

  #look(path: string, parent: Pending): void {
    let state;
    try {
      state = readState(`${this.#options.source}/${path}`);
    } catch (error) {
      this.#skipped.push(readProblem(path, error));
      return;
    }
    if (state === undefined) {
      // The runtime replaces bytes that are not UTF-8, and then cannot find the file by that name.
      if (path.includes("\uFFFD")) this.#skip(path, "its name is not valid UTF-8");
      return;
    }
    const isFolder = state.kind === "folder";
    const rule = parent.onlyTracked ?? this.#options.rules.find(path, isFolder);
    const held = rule && this.#options.rules.tracked(path, rule);
    if (rule !== undefined && held === undefined) this.#ignored.push({ path, rule });
    else if (rule !== undefined && held === "below" && isFolder) {
      this.#add(path, "folder", state);
      this.#pending.push({ path, trail: parent.trail, onlyTracked: rule });
    } else if (state.kind === "link" && this.#options.followSymlinks) this.#follow(path, parent);
    else if (state.kind === "link") this.#keepLink(path, state);
    else this.#take(path, state, parent);
  }

  #take(path: string, state: FileState, parent: Pending): void {
    if (state.kind === "folder") {
      const identity = `${state.dev}:${state.ino}`;
      if (parent.trail.includes(identity)) {
        return this.#skip(path, "links back to a folder above it");
      }
      this.#add(path, "folder", state);
      const trail = this.#options.followSymlinks ? [...parent.trail, identity] : parent.trail;
      this.#pending.push({ path, trail });
    } else if (state.kind === "file") this.#add(path, "file", state);
    else this.#skip(path, SKIPPED_KINDS[state.kind] ?? "a device");
  }

  #follow(path: string, parent: Pending): void {
    const state = readState(`${this.#options.source}/${path}`, true);
    if (state === undefined) return this.#skip(path, "a link to nothing");
    const rule = state.kind === "folder" ? this.#options.rules.find(path, true) : undefined;
    if (rule !== undefined) this.#ignored.push({ path, rule });
    else this.#take(path, state, parent);
  }

  #keepLink(path: string, state: FileState): void {
    const target = Deno.readLinkSync(`${this.#options.source}/${path}`);
    if (target.includes("\uFFFD")) return this.#skip(path, "the link's target is not valid UTF-8");
    if (leavesRoot({ source: this.#options.source, root: this.#root, path, target })) {
      return this.#skip(path, `a link that leaves the folder: ${target}`);
    }
    this.#add(path, "link", state, target);
  }

  #add(path: string, type: EntryType, state: FileState, target = ""): void {
    const size = type === "file" ? state.size : 0;
    this.bytes += size;
    this.#found.push({ path, type, executable: isExecutable(state), size, content: target, state });
  }

  #skip(path: string, reason: string): void {
    this.#skipped.push({ path, reason });
  }
}

export interface LinkPlace {
  readonly source: string;
  /** The source, without links on the way. */
  readonly root: string;
  readonly path: string;
  readonly target: string;
}

/** By its words, and where it leads to something, by where that really lies. */
export function leavesRoot({ source, root, path, target }: LinkPlace): boolean {
  if (isAbsolute(target)) return true;
  const words = normalize(join(dirname(path), target));
  if (words === ".." || words.startsWith("../")) return true;
  try {
    const real = Deno.realPathSync(`${source}/${path}`);
    return real !== root && !real.startsWith(`${root}/`);
  } catch {
    return false;
  }
}

function openRoot(source: string): { path: string; identity: string } {
  try {
    const { isDirectory, dev, ino } = Deno.statSync(source);
    if (!isDirectory) throw new Deno.errors.NotADirectory(source);
    return { path: Deno.realPathSync(source), identity: `${dev}:${ino}` };
  } catch (error) {
    throw unreadableRoot(source, error);
  }
}

function unreadableRoot(source: string, cause: unknown): GridError {
  return new GridError({
    code: "sync",
    message: `Cannot sync "${source}": it is no file, and no folder that can be read`,
    hint: "Check sync.from; it is relative to the project folder",
    cause,
  });
}

const SKIPPED_KINDS: Readonly<Record<string, string>> = {
  socket: "a socket",
  pipe: "a named pipe",
};
