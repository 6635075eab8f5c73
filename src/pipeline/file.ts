import { checkSource, diagnostic } from "../document/check.ts";
import type { Diagnostic } from "../document/diagnostic.ts";
import { readSource, type Source } from "../document/source.ts";
import { type PipelineFile, pipelineSchema } from "./schema.ts";

/** A pipeline file whose shape is right; what was wrong is reported and taken out. */
export interface OpenFile {
  readonly source: Source;
  readonly file: PipelineFile;
  readonly diagnostics: readonly Diagnostic[];
  /** Maps and lists from which something wrong was taken, so that no second report follows from it. */
  readonly damaged: ReadonlySet<object>;
}

/** Reads and checks one file; `file` is undefined where nothing of it makes sense. */
export function openFile(
  text: string,
  path: string,
): OpenFile | { readonly file: undefined; readonly diagnostics: readonly Diagnostic[] } {
  const source = readSource(text, path);
  const root = source.value;
  if (!source.isReadable) return { file: undefined, diagnostics: source.diagnostics };
  if (root === null) {
    const message = "the file is empty";
    const empty = diagnostic({ rule: "empty-file", spot: source.start, message });
    return { file: undefined, diagnostics: [...source.diagnostics, empty] };
  }
  const diagnostics = [...source.diagnostics];
  const damaged = new Set<object>();
  dropExtensions(source);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const checked = checkSource(source, pipelineSchema);
    // The values of the file itself are used, not zod's copy: only they know their places.
    if (checked.value !== undefined) {
      return { source, file: root as PipelineFile, diagnostics, damaged };
    }
    // What taking something out made wrong is no mistake of the author's.
    if (round === 0) diagnostics.push(...checked.diagnostics);
    const touched = source.prune(checked.faults);
    if (touched === undefined) break;
    for (const container of touched) damaged.add(container);
  }
  return { file: undefined, diagnostics };
}

/** Taking out a value can leave a required key missing one level up, and so on up to the root. */
const MAX_ROUNDS = 8;

/** `x-…` at the top is the author's own, a place for anchors. */
function dropExtensions(source: Source): void {
  const root = source.value;
  if (typeof root !== "object" || root === null) return;
  source.prune(Object.keys(root).filter((key) => key.startsWith("x-")).map((key) => [key]));
}
