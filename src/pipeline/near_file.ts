/** What somebody may have meant who named a pipeline file that is not there. */
import { basename, dirname, isAbsolute, join, relative } from "node:path";
import { nearest } from "../core/did_you_mean.ts";

/** Where pipelines usually lie. */
const USUAL = "pipelines";
const MOST_NAMED = 5;

/**
 * A hint with the file that is nearest to `path` by its name, or with the files that are there.
 *
 * @param project absolute; whoever stands below it may name files as from its top
 */
export function hintForMissing(path: string, project: string): string {
  const target = targetOf(path);
  if (target !== undefined) {
    return `it is a link to ${target}: put that there, or take the link away`;
  }
  const top = relative(Deno.cwd(), project);
  const usual = isAbsolute(path) ? [] : [USUAL, join(top, dirname(path)), join(top, USUAL)];
  const folders = [dirname(path), join(dirname(path), USUAL), ...usual];
  const files = [...new Set(folders.flatMap(pipelinesIn))];
  const names = new Map(files.toReversed().map((file) => [basename(file), file]));
  const near = names.get(nearest(basename(path), names.keys()) ?? "");
  if (near !== undefined) return `did you mean ${near}?`;
  if (files.length === 0) {
    return "check the path; a pipeline is a .yaml file, such as pipelines/train.yaml";
  }
  const more = files.length > MOST_NAMED ? `, and ${files.length - MOST_NAMED} more` : "";
  return `there are: ${files.slice(0, MOST_NAMED).join(", ")}${more}`;
}

/** Of a link; undefined for what is none. */
function targetOf(path: string): string | undefined {
  try {
    return Deno.readLinkSync(path);
  } catch {
    return undefined;
  }
}

/** Names are a help only: a folder that cannot be read has none. */
function pipelinesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)]
      .filter(({ name, isDirectory }) => /^[^.].*\.ya?ml$/.test(name) && !isDirectory)
      .map(({ name }) => join(folder, name))
      .toSorted();
  } catch {
    return [];
  }
}
