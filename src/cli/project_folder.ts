/**
 * Which folder is the project, and whose it is. A cluster config decides on which machines commands
 * run, so one that somebody else may have put above us is not taken without being told to, as git
 * does not take somebody else's repository.
 */
import { dirname, join } from "node:path";
import { GridError } from "../core/errors.ts";
import { quote } from "../core/shell.ts";

const CONFIG = "config/cluster_config.yaml";
/** What marks a project folder, as `.git` marks a repository. */
const MARKS = [CONFIG, ".grid"];

export interface Onlooker {
  /** Whose files are ours. */
  readonly uid: number | null;
  /** Account that became root with sudo, and whose files root may use for it. */
  readonly sudoUid?: number | undefined;
  readonly home?: string | undefined;
  /** Owner of what lies at a path; undefined where nothing does. */
  readonly ownerOf: (path: string) => number | undefined;
  /** Whether everybody may write to a folder, as to /tmp. */
  readonly isOpenToAll: (folder: string) => boolean;
}

export interface ProjectFolder {
  /** Absolute. */
  readonly project: string;
  /** What would have marked a folder, but belongs to somebody else. */
  readonly passedBy: readonly Foreign[];
}

export interface Foreign {
  readonly path: string;
  readonly owner: number;
}

/**
 * The nearest folder upward that is a project of ours; the current one where none is. The search
 * ends at the border of a repository, and at the home folder. A `.grid` alone makes no project of the
 * home folder, nor of one that everybody writes to: it may be left of a single command that was typed
 * there.
 */
export function findProject(cwd: string, onlooker: Onlooker): ProjectFolder {
  const passedBy: Foreign[] = [];
  for (let folder = cwd;; folder = dirname(folder)) {
    const isHome = folder === onlooker.home;
    const isPassedThrough = folder !== cwd && (isHome || onlooker.isOpenToAll(folder));
    const marks = isPassedThrough ? [CONFIG] : MARKS;
    const there = marks.map((mark) => join(folder, mark))
      .filter((path) => onlooker.ownerOf(path) !== undefined);
    if (there.length > 0) {
      const foreign = foreignOf([folder, ...there], onlooker);
      // Where we stand is no choice of ours to be silent about; whoever asks for the config is told.
      if (foreign === undefined || folder === cwd) return { project: folder, passedBy };
      passedBy.push(foreign);
    }
    const isBorder = isHome || onlooker.ownerOf(join(folder, ".git")) !== undefined;
    if (isBorder || dirname(folder) === folder) return { project: cwd, passedBy };
  }
}

/** The first of these that belongs neither to us nor to root. */
function foreignOf(paths: readonly string[], onlooker: Onlooker): Foreign | undefined {
  const { uid, sudoUid, ownerOf } = onlooker;
  // Without accounts there is nobody else.
  if (uid === null) return undefined;
  for (const path of paths) {
    const owner = ownerOf(path);
    if (owner !== undefined && owner !== 0 && owner !== uid && owner !== sudoUid) {
      return { path, owner };
    }
  }
  return undefined;
}

/** @throws {GridError} `permission` where the config or the runs of the folder are somebody else's */
export function checkOwners(
  project: string,
  { onlooker, configIsNamed }: { readonly onlooker: Onlooker; readonly configIsNamed: boolean },
): void {
  const config = [project, join(project, "config"), join(project, CONFIG)];
  const hasConfig = onlooker.ownerOf(join(project, CONFIG)) !== undefined;
  const foreign = hasConfig && !configIsNamed ? foreignOf(config, onlooker) : undefined;
  if (foreign) {
    const file = quote(join(project, CONFIG));
    throw new GridError({
      code: "permission",
      message: `Cannot use the cluster config of "${project}": ${ownerWords(foreign)}, ` +
        "who could let your commands run anywhere",
      hint: `where that is right, say so: grid … --config ${file}, or export GRID_CONFIG=${file}`,
    });
  }
  const runs = foreignOf([join(project, ".grid")], onlooker);
  if (runs === undefined) return;
  throw new GridError({
    code: "permission",
    message: `Cannot use "${runs.path}": ${ownerWords(runs)}`,
    hint: "start Grid in a folder of your own, or have that one removed",
  });
}

export function ownerWords({ path, owner }: Foreign): string {
  return `"${path}" belongs to ${accountName(owner) ?? `account ${owner}`}`;
}

function accountName(uid: number): string | undefined {
  try {
    const line = Deno.readTextFileSync("/etc/passwd").split("\n")
      .find((line) => line.split(":")[2] === String(uid));
    const name = line?.split(":", 1)[0];
    return name === undefined ? undefined : `"${name}"`;
  } catch {
    return undefined; // without such a list, the number has to do
  }
}

/** This process. */
export function thisOnlooker(env: Readonly<Record<string, string>>): Onlooker {
  const uid = Deno.uid();
  const sudoUid = uid === 0 && /^\d+$/.test(env["SUDO_UID"] ?? "")
    ? Number(env["SUDO_UID"])
    : undefined;
  return { uid, sudoUid, home: env["HOME"], ownerOf, isOpenToAll };
}

/** Without `node:fs`, whose loading takes as long as reading a pipeline. */
function ownerOf(path: string): number | undefined {
  try {
    return Deno.statSync(path).uid ?? 0;
  } catch {
    return undefined; // not there, or not ours to see: no mark either way
  }
}

function isOpenToAll(folder: string): boolean {
  try {
    return ((Deno.statSync(folder).mode ?? 0) & 0o002) !== 0;
  } catch {
    return false; // whoever cannot be seen is not passed through for that
  }
}
