import { basename, join, relative, resolve } from "node:path";
import { closeSync, openSync, readSync } from "node:fs";
import { GridError } from "../core/errors.ts";

/** A folder stands for every YAML file below it that looks like a pipeline. */
export function pipelineFiles(name: string, cwd: string): string[] {
  const found = pipelinesAt(name, cwd);
  if (found.length > 0) return found;
  throw new GridError({
    code: "usage",
    message: `Cannot validate folder "${name}": it holds no pipeline`,
    hint: "a pipeline is a .yaml or .yml file with the key steps:",
  });
}

/**
 * The file itself, or those in the folder, if any. What cannot be looked into is among them: reading it says
 * what is wrong with it, and is nothing to the others.
 */
export function pipelinesAt(name: string, cwd: string): string[] {
  const path = resolve(cwd, name);
  if (statOf(path)?.isDirectory !== true) return [name];
  return yamlFiles(path).toSorted().map((file) => join(name, relative(path, file)));
}

function yamlFiles(folder: string): string[] {
  return entriesOf(folder)?.flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    if (isDirectory) return yamlFiles(path);
    return /\.ya?ml$/.test(name) && isPipeline(path) ? [path] : [];
  }) ?? [folder];
}

/** Undefined for a folder that cannot be listed. */
function entriesOf(folder: string): readonly Deno.DirEntry[] | undefined {
  try {
    return [...Deno.readDirSync(folder)];
  } catch {
    return undefined; // reading it will say what is wrong with it
  }
}

function isPipeline(file: string): boolean {
  // A link without an end that no `ls` shows is an editor's mark that somebody writes in the file beside it.
  const isHidden = basename(file).startsWith(".");
  const stat = statOf(file);
  if (stat === undefined) return !isHidden;
  // Whoever reads a pipe waits for somebody to write into it.
  if (!stat.isFile) return false;
  try {
    return /^(steps|"steps"|'steps')\s*:/m.test(beginningOf(file, stat.size));
  } catch {
    return !isHidden; // reading it will say what is wrong with it
  }
}

/** More than a pipeline may have; a file of data may have any size, and is looked at again and again. */
const MOST_BYTES = 4 << 20;

function beginningOf(path: string, size: number): string {
  const file = openSync(path, "r");
  try {
    const bytes = new Uint8Array(Math.min(size, MOST_BYTES));
    let length = 0;
    for (let read = 1; read > 0 && length < bytes.length; length += read) {
      read = readSync(file, bytes, { offset: length });
    }
    return new TextDecoder().decode(bytes.subarray(0, length));
  } finally {
    closeSync(file);
  }
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch {
    return undefined; // reading it will say what is wrong with it
  }
}
