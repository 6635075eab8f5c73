/** Looks at every file of the source once; ignored folders are never entered. */
import {
  type BigIntStats,
  lstatSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  statSync,
} from "node:fs";
import { dirname, isAbsolute, join, normalize } from "node:path";
import { GridError } from "../core/errors.ts";
import { comparePaths, type EntryType } from "./entry.ts";
import type { IgnoreRule, IgnoreRules } from "./ignore.ts";

/** One thing of the source, not yet hashed. */
export interface Found {
  readonly path: string;
  readonly type: EntryType;
  readonly executable: boolean;
  readonly size: number;
  /** Target of a link. */
  readonly target: string;
  readonly stat: BigIntStats;
}

export interface Skipped {
  readonly path: string;
  readonly reason: string;
}

export interface Walk {
  /** Sorted by path. */
  readonly found: readonly Found[];
  /** Things that cannot be synced, with the reason. */
  readonly skipped: readonly Skipped[];
  /** Paths that a rule left out; an ignored folder stands for all it holds. */
  readonly ignored: readonly { readonly path: string; readonly rule: IgnoreRule }[];
}

export interface WalkOptions {
  readonly source: string;
  readonly rules: IgnoreRules;
  readonly followSymlinks: boolean;
  readonly signal: AbortSignal;
}

/** Folders between two looks at the signal and at the rest of the program. */
const FOLDERS_PER_TURN = 100;

/** @throws {GridError} `sync` where the source is not a readable folder */
export async function walkSource(options: WalkOptions): Promise<Walk> {
  const walker = new Walker(options);
  let turn = 0;
  while (walker.step()) {
    if (++turn % FOLDERS_PER_TURN > 0) continue;
    await new Promise((resolve) => setImmediate(resolve));
    options.signal.throwIfAborted();
  }
  return walker.result();
}

interface Pending {
  readonly path: string;
  /** Device and inode of every folder from the root down to here, for loops of followed links. */
  readonly trail: readonly string[];
}

class Walker {
  readonly #options: WalkOptions;
  readonly #root: string;
  readonly #pending: Pending[] = [];
  readonly #found: Found[] = [];
  readonly #skipped: Skipped[] = [];
  readonly #ignored: { path: string; rule: IgnoreRule }[] = [];

  constructor(options: WalkOptions) {
    this.#options = options;
    this.#root = openRoot(options.source);
    this.#pending.push({ path: "", trail: [] });
  }

  /** Reads one folder; false when there is none left. */
  step(): boolean {
    const folder = this.#pending.pop();
    if (folder === undefined) return false;
    this.#options.rules.enter(folder.path);
    let names: string[];
    try {
      names = readdirSync(join(this.#options.source, folder.path));
    } catch (error) {
      this.#skip(folder.path, `cannot be read: ${(error as Error).message}`);
      return true;
    }
    const prefix = folder.path === "" ? "" : `${folder.path}/`;
    for (const name of names) this.#look(prefix + name, folder);
    return true;
  }

  result(): Walk {
    return {
      found: this.#found.toSorted((a, b) => comparePaths(a.path, b.path)),
      skipped: this.#skipped.toSorted((a, b) => comparePaths(a.path, b.path)),
      ignored: this.#ignored.toSorted((a, b) => comparePaths(a.path, b.path)),
    };
  }

  #look(path: string, parent: Pending): void {
    const full = `${this.#options.source}/${path}`;
    const stat = lstatSync(full, { bigint: true, throwIfNoEntry: false });
    if (stat === undefined) {
      // The runtime replaces bytes that are not UTF-8, and then cannot find the file by that name.
      if (path.includes("\uFFFD")) this.#skip(path, "its name is not valid UTF-8");
      return;
    }
    const rule = this.#options.rules.find(path, stat.isDirectory());
    if (rule !== undefined) this.#ignored.push({ path, rule });
    else if (stat.isSymbolicLink() && this.#options.followSymlinks) this.#follow(path, parent);
    else if (stat.isSymbolicLink()) this.#keepLink(path, stat);
    else this.#take(path, stat, parent);
  }

  #take(path: string, stat: BigIntStats, parent: Pending): void {
    if (stat.isDirectory()) {
      const identity = `${stat.dev}:${stat.ino}`;
      if (parent.trail.includes(identity)) {
        return this.#skip(path, "links back to a folder above it");
      }
      this.#add(path, "folder", stat);
      const trail = this.#options.followSymlinks ? [...parent.trail, identity] : parent.trail;
      this.#pending.push({ path, trail });
    } else if (stat.isFile()) this.#add(path, "file", stat);
    else this.#skip(path, kindOf(stat));
  }

  #follow(path: string, parent: Pending): void {
    const stat = statSync(`${this.#options.source}/${path}`, {
      bigint: true,
      throwIfNoEntry: false,
    });
    if (stat === undefined) return this.#skip(path, "a link to nothing");
    if (stat.isDirectory() && this.#options.rules.find(path, true)) return;
    this.#take(path, stat, parent);
  }

  #keepLink(path: string, stat: BigIntStats): void {
    const target = readlinkSync(`${this.#options.source}/${path}`);
    if (target.includes("\uFFFD")) return this.#skip(path, "the link's target is not valid UTF-8");
    if (this.#leavesRoot(path, target)) {
      return this.#skip(path, `a link that leaves the folder: ${target}`);
    }
    this.#add(path, "link", stat, target);
  }

  /** By its words, and where it leads to something, by where that really lies. */
  #leavesRoot(path: string, target: string): boolean {
    if (isAbsolute(target)) return true;
    const words = normalize(join(dirname(path), target));
    if (words === ".." || words.startsWith("../")) return true;
    try {
      const real = realpathSync(`${this.#options.source}/${path}`);
      return real !== this.#root && !real.startsWith(`${this.#root}/`);
    } catch {
      return false;
    }
  }

  #add(path: string, type: EntryType, stat: BigIntStats, target = ""): void {
    const isFile = type === "file";
    this.#found.push({
      path,
      type,
      executable: isFile && (stat.mode & 0o100n) !== 0n,
      size: isFile ? Number(stat.size) : 0,
      target,
      stat,
    });
  }

  #skip(path: string, reason: string): void {
    this.#skipped.push({ path, reason });
  }
}

function openRoot(source: string): string {
  try {
    readdirSync(source);
    return realpathSync(source);
  } catch (error) {
    throw new GridError({
      code: "sync",
      message: `Cannot sync "${source}": it is not a folder that can be read`,
      hint: "Check sync.from; it is relative to the project folder",
      cause: error,
    });
  }
}

function kindOf(stat: BigIntStats): string {
  if (stat.isSocket()) return "a socket";
  if (stat.isFIFO()) return "a named pipe";
  return "a device";
}
