/** What was meant by a `uses:` that leads nowhere. */
import { basename, dirname, join, relative } from "node:path";
import { nearest } from "../../core/did_you_mean.ts";

const ACTION = /^[\w.-]+\/[\w./-]+@[\w./-]+$/;
const ENDING = /\.ya?ml$/;
const ADDRESS = /^(?:https?|ssh):\/\/|^git@/;

export function isAddress(reference: string): boolean {
  return ADDRESS.test(reference);
}

/** The hint for a reference in the file `from`. */
export async function usesHint(reference: string, from: string): Promise<string> {
  if (reference.includes("${{")) {
    return "an expression is not possible here: templates are read before the run";
  }
  if (isAddress(reference)) {
    return "a file of a repository is written git+https://host/repository.git//file.yaml@tag";
  }
  if (ACTION.test(reference)) {
    return "there are no actions here; uses: names a pipeline file, sync: brings code to nodes";
  }
  const best = await besides(join(dirname(from), reference));
  if (best === undefined) return "uses: is relative to the file it stands in";
  return `did you mean "./${relative(dirname(from), best)}"?`;
}

/** A pipeline file in the same folder with another ending, or a similar name. */
async function besides(path: string): Promise<string | undefined> {
  const names: string[] = [];
  try {
    for await (const { name } of Deno.readDir(dirname(path))) {
      if (ENDING.test(name)) names.push(name);
    }
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) {
      return undefined;
    }
    throw error;
  }
  const bare = (name: string) => name.replace(ENDING, "");
  const best = nearest(bare(basename(path)), names.map(bare));
  const found = names.find((name) => bare(name) === best);
  return found === undefined ? undefined : join(dirname(path), found);
}
