/** Files that Grid writes into somebody's project: never over what is there. */
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** What a folder of this installation holds, such as `examples/ci`. */
export function readOwn(path: string): string {
  return Deno.readTextFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)));
}

/** Names of the files in a folder of this installation, in order. */
export function listOwn(folder: string): string[] {
  const path = fileURLToPath(new URL(`../../${folder}`, import.meta.url));
  return [...Deno.readDirSync(path)].map(({ name }) => name).toSorted();
}

export interface NewFile {
  /** Relative to the project. */
  readonly path: string;
  readonly text: string;
}

export interface Written {
  /** Relative to the current folder. */
  readonly path: string;
  readonly was: "written" | "kept";
}

/** Writes what is not there yet. */
export function writeNew(files: readonly NewFile[], project: string): Written[] {
  return files.map(({ path, text }) => {
    const full = join(project, path);
    const shown = relative(Deno.cwd(), full) || path;
    Deno.mkdirSync(dirname(full), { recursive: true });
    try {
      Deno.writeTextFileSync(full, text, { createNew: true });
      return { path: shown, was: "written" };
    } catch (error) {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      return { path: shown, was: "kept" };
    }
  });
}

export function writtenWords(files: readonly Written[]): string {
  return files.map(({ path, was }) => `${was.padEnd(8)} ${path}\n`).join("");
}
