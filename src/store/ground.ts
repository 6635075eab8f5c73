/** `.grid`: the folder of a project in which Grid keeps what it knows. */
import { chmodSync, existsSync, mkdirSync, statSync, writeFileSync } from "node:fs";
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
    mkdirSync(folder, { recursive: true, mode: PRIVATE_FOLDER });
    tighten(folder, PRIVATE_FOLDER);
    ignoreByGit(folder);
  } catch (error) {
    throw refusedError(error, `keep runs in "${folder}"`) ?? error;
  }
  return join(folder, "grid.db");
}

/** Whether there is a database already; makes nothing. */
export function hasGround(project: string): boolean {
  return existsSync(join(project, ".grid", "grid.db"));
}

/** Makes the file for its owner alone, before anybody else writes to it and lets others read. */
export function makePrivateFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: PRIVATE_FOLDER });
  try {
    writeFileSync(path, "", { flag: "wx", mode: PRIVATE_FILE });
  } catch (error) {
    if (!isThere(error)) throw error;
    tighten(path, PRIVATE_FILE);
  }
}

/** As virtual environments and caches do it: the project's own .gitignore is its owner's affair. */
function ignoreByGit(folder: string): void {
  const path = join(folder, ".gitignore");
  if (existsSync(path)) return;
  try {
    writeFileSync(path, "*\n", { flag: "wx", mode: PRIVATE_FILE });
  } catch (error) {
    if (!isThere(error)) throw error;
  }
}

/** Takes away what others may. What is of another kind than expected is told by whoever opens it. */
function tighten(path: string, mode: number): void {
  const stats = statSync(path, { throwIfNoEntry: false });
  if (stats === undefined || stats.isDirectory() !== (mode === PRIVATE_FOLDER)) return;
  if ((stats.mode & 0o077) !== 0 && stats.uid === Deno.uid()) chmodSync(path, stats.mode & mode);
}

function isThere(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EEXIST";
}
