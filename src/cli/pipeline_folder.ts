import { join, relative, resolve } from "node:path";
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

/** The file itself, or those in the folder, if any. */
export function pipelinesAt(name: string, cwd: string): string[] {
  const path = resolve(cwd, name);
  if (!isFolder(path)) return [name];
  return yamlFiles(path).toSorted().filter((file) => /^steps:/m.test(Deno.readTextFileSync(file)))
    .map((file) => join(name, relative(path, file)));
}

function yamlFiles(folder: string): string[] {
  return [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
    const path = join(folder, name);
    if (isDirectory) return yamlFiles(path);
    return /\.ya?ml$/.test(name) ? [path] : [];
  });
}

function isFolder(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch {
    return false; // reading it will say what is wrong with it
  }
}
