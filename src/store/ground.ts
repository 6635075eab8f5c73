/** `.grid`: the folder of a project in which Grid keeps what it knows. */
import { dirname, join } from "node:path";
import { refusedError } from "../core/errors.ts";
import { PRIVATE_FILE, PRIVATE_FOLDER } from "../core/private_modes.ts";

/**
 * Makes the folder where it is missing, for its owner alone and ignored by git; one that an older
 * Grid made for everybody becomes so.
 *
 * @returns path of the database in it
 * @throws {GridError} `permission`, `disk-full`
 */
export function openGround(project: string): string {
  const folder = join(project, ".grid");
  try {
    makeFolder(folder);
    tighten(folder, PRIVATE_FOLDER);
    ignoreByGit(folder);
  } catch (error) {
    throw refusedError(error, `keep runs in "${folder}"`) ?? error;
  }
  return join(folder, "grid.db");
}

/**
 * Whether there is a database already; makes nothing.
 *
 * @throws {GridError} `permission` where this account may not look
 */
export function hasGround(project: string): boolean {
  const folder = join(project, ".grid");
  try {
    Deno.statSync(join(folder, "grid.db"));
    return true;
  } catch (error) {
    if (!(error instanceof Deno.errors.PermissionDenied)) return false;
    throw refusedError(error, `read the runs in "${folder}"`) ?? error;
  }
}

/** Makes the file for its owner alone, before anybody else writes to it and lets others read. */
export function makePrivateFile(path: string): void {
  makeFolder(dirname(path));
  try {
    Deno.writeTextFileSync(path, "", { createNew: true, mode: PRIVATE_FILE });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    tighten(path, PRIVATE_FILE);
  }
}

/** What stands there already is told by whoever uses it, where it is no folder. */
function makeFolder(path: string): void {
  try {
    Deno.mkdirSync(path, { recursive: true, mode: PRIVATE_FOLDER });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

/** As virtual environments and caches do it: the project's own .gitignore is its owner's affair. */
function ignoreByGit(folder: string): void {
  const path = join(folder, ".gitignore");
  if (statsOf(path) !== undefined) return;
  try {
    Deno.writeTextFileSync(path, "*\n", { createNew: true, mode: PRIVATE_FILE });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
}

/** Takes away what others may. What is of another kind than expected is told by whoever opens it. */
function tighten(path: string, mode: number): void {
  const stats = statsOf(path);
  if (stats === undefined || stats.isDirectory !== (mode === PRIVATE_FOLDER)) return;
  const before = stats.mode ?? 0;
  if ((before & 0o077) !== 0 && stats.uid === Deno.uid()) Deno.chmodSync(path, before & mode);
}

/** Undefined for what is not there, or not to be looked at. */
function statsOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    // Whoever opens it tells why it cannot be.
    return undefined;
  }
}
