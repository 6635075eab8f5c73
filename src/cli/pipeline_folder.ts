import { join, relative, resolve } from "node:path";
import { GridError } from "../core/errors.ts";

/** A folder stands for every YAML file below it that looks like a pipeline. */
export async function pipelineFiles(name: string, cwd: string): Promise<string[]> {
  const path = resolve(cwd, name);
  if (!isFolder(path)) return [name];
  const found: string[] = [];
  for (const file of yamlFiles(path).toSorted()) {
    if (/^steps:/m.test(await Deno.readTextFile(file))) {
      found.push(join(name, relative(path, file)));
    }
  }
  if (found.length > 0) return found;
  throw new GridError({
    code: "usage",
    message: `Cannot validate folder "${name}": it holds no pipeline`,
    hint: "a pipeline is a .yaml or .yml file with the key steps:",
  });
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
