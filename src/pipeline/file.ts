import SHAPE from "../../config/pipeline.schema.json" with { type: "json" };
import { lazy } from "../core/lazy.ts";
import { checkSource, diagnostic } from "../document/check.ts";
import type { Diagnostic } from "../document/diagnostic.ts";
import { ShapeChecker } from "../document/json_shape.ts";
import { readSource, type Source } from "../document/source.ts";
import type { PipelineFile } from "./schema.ts";

export interface FileReports {
  /** Mistakes in the YAML; on their lines nothing else is worth reporting. */
  readonly yaml: readonly Diagnostic[];
  /** Mistakes in the shape. */
  readonly shape: readonly Diagnostic[];
}

/** A pipeline file whose shape is right; what was wrong is reported and taken out. */
export interface OpenFile extends FileReports {
  readonly source: Source;
  readonly file: PipelineFile;
  /** Maps and lists from which something wrong was taken, so that no second report follows from it. */
  readonly damaged: ReadonlySet<object>;
}

/** Reads and checks one file; `file` is undefined where nothing of it makes sense. */
export async function openFile(
  text: string,
  path: string,
): Promise<OpenFile | FileReports & { readonly file: undefined }> {
  const source = readSource(text, path);
  const root = source.value;
  const yaml = source.diagnostics;
  if (!source.isReadable) return { file: undefined, yaml, shape: [] };
  if (root === null) {
    const message = "the file is empty";
    const hint = "write steps: and below it - id: hello with run: echo hello";
    const empty = diagnostic({ rule: "empty-file", spot: source.start, message, hint });
    return { file: undefined, yaml, shape: [empty] };
  }
  dropExtensions(source);
  // The values of the file itself are used, not zod's copy: only they know their places.
  if (new ShapeChecker(SHAPE).fits(root)) {
    return { source, file: root as PipelineFile, yaml, shape: [], damaged: new Set() };
  }
  return { yaml, ...await repair(source) };
}

/** Reports what is wrong with the shape and takes it out, until the rest is right. */
async function repair(
  source: Source,
): Promise<Omit<OpenFile, "yaml"> | { readonly shape: Diagnostic[]; readonly file: undefined }> {
  const [{ pipelineSchema }, words] = await Promise.all([
    lazy<typeof import("./schema.ts")>("./schema.ts", import.meta.url),
    lazy<typeof import("./key_hints.ts")>("./key_hints.ts", import.meta.url),
  ]);
  const shape: Diagnostic[] = [];
  const damaged = new Set<object>();
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const checked = checkSource(source, pipelineSchema, { words });
    if (checked.value !== undefined) {
      return { source, file: source.value as PipelineFile, shape, damaged };
    }
    // What taking something out made wrong is no mistake of the author's.
    if (round === 0) shape.push(...checked.diagnostics);
    const touched = source.prune(checked.faults);
    if (touched === undefined) break;
    for (const container of touched) damaged.add(container);
  }
  return { file: undefined, shape };
}

/** Taking out a value can leave a required key missing one level up, and so on up to the root. */
const MAX_ROUNDS = 8;

/** `x-…` at the top is the author's own, a place for anchors. */
function dropExtensions(source: Source): void {
  const root = source.value;
  if (typeof root !== "object" || root === null) return;
  source.prune(Object.keys(root).filter((key) => key.startsWith("x-")).map((key) => [key]));
}
