/** Writes below one folder of this machine and never through a link that leads out of it. */
import { lstat, mkdir, realpath, rename } from "node:fs/promises";
import { join } from "node:path";
import { GridError } from "../core/errors.ts";
import type { RelativePath } from "../core/relative_path.ts";

export class Landing {
  readonly #folder: string;
  readonly #real: string;
  /** Folders that were looked at. */
  readonly #known = new Set<string>();

  private constructor(folder: string, real: string) {
    this.#folder = folder;
    this.#real = real;
  }

  /** The folder itself may be a link: the user named it. It is made where it is missing. */
  static async open(folder: string): Promise<Landing> {
    try {
      await mkdir(folder, { recursive: true });
      return new Landing(folder, await realpath(folder));
    } catch (error) {
      throw cannotWrite(folder, error);
    }
  }

  /** Renames a file to its place. @throws {GridError} `sync` where something lies in the way */
  async place(staged: string, path: RelativePath): Promise<void> {
    await this.folder(path.split("/").slice(0, -1));
    try {
      // A link at this very place is replaced, not followed.
      await rename(staged, join(this.#real, path));
    } catch (error) {
      throw cannotWrite(join(this.#folder, path), error);
    }
  }

  /** Makes a folder, one part at a time. @throws {GridError} `sync` for a link that leads out */
  async folder(parts: readonly string[]): Promise<void> {
    for (let depth = 1; depth <= parts.length; depth++) {
      const path = parts.slice(0, depth).join("/");
      if (this.#known.has(path)) continue;
      await this.#enter(path);
      this.#known.add(path);
    }
  }

  async #enter(path: string): Promise<void> {
    const full = join(this.#real, path);
    try {
      await mkdir(full);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") {
        throw cannotWrite(join(this.#folder, path), error);
      }
    }
    if (!(await lstat(full)).isSymbolicLink()) return;
    const real = await realpath(full).catch(() => undefined);
    if (real?.startsWith(`${this.#real}/`)) return;
    throw new GridError({
      code: "sync",
      message: `Cannot write below "${join(this.#folder, path)}": it is a link that leads out of ` +
        `"${this.#folder}"`,
      hint: "Remove the link, or give fetch.to the folder that it leads to",
    });
  }
}

function cannotWrite(path: string, error: unknown): GridError {
  return new GridError({
    code: "sync",
    message: `Cannot write "${path}": ${(error as Error).message}`,
    hint: "Move away what lies there, and check that the folder can be written",
    cause: error,
  });
}
