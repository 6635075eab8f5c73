import SHAPE from "../../config/pipeline.schema.json" with { type: "json" };
import { lazy } from "../core/lazy.ts";
import { formatCount, formatSize } from "../core/size.ts";
import { checkSource, diagnostic } from "../document/shape/check.ts";
import type { Diagnostic } from "../document/diagnostic.ts";
import { type JsonShape, ShapeChecker } from "../document/shape/json_shape.ts";
import { readSource, type Source } from "../document/source.ts";
import { takeMisspeltSettings } from "./matrix/matrix_settings.ts";
import type { PipelineFile } from "./schema.ts";
import { unfitPrototype, unfitPrototypes } from "./check/unfit_prototype.ts";
import { joinUnindented } from "./check/unindented.ts";

export interface FileReports {
  readonly source: Source;
  /** Mistakes in the YAML; on their lines nothing else is worth reporting. */
  readonly yaml: readonly Diagnostic[];
  /** Mistakes in the shape. */
  readonly shape: readonly Diagnostic[];
  /** Whether names may be missing that stand on lines nobody could read. */
  readonly hasLostNames: boolean;
}

/** A pipeline file whose shape is right; what was wrong is reported and taken out. */
export interface OpenFile extends FileReports {
  readonly file: PipelineFile;
  /** Maps and lists from which something wrong was taken, so that no second report follows from it. */
  readonly damaged: ReadonlySet<object>;
}

/** Reads and checks one file; `file` is undefined where nothing of it makes sense. */
export async function openFile(
  content: Uint8Array,
  path: string,
): Promise<OpenFile | FileReports & { readonly file: undefined }> {
  const message = lengthFault(content);
  if (message !== undefined) return tooLong({ content, path, message });
  const source = readSource(content, path);
  const yaml = source.diagnostics;
  const losses = source.losses;
  const hasLostNames = losses.some((path) => !path.some((key) => NAMELESS.has(String(key))));
  const reports = { source, yaml, shape: [], hasLostNames };
  if (!source.isReadable) return { ...reports, file: undefined };
  if (source.value === null) {
    return { ...reports, file: undefined, shape: yaml.length > 0 ? [] : [emptyFile(source)] };
  }
  dropExtensions(source);
  const torn = new Set(losses.map((path) => source.at(path.slice(0, -1))));
  const damaged = source.prune(losses);
  if (damaged === undefined) return { ...reports, file: undefined };
  const misspelt = takeMisspeltSettings(source);
  // The values of the file itself are used, not zod's copy: only they know their places.
  if (hasShape(source.value)) {
    return { ...reports, shape: misspelt, file: source.value as PipelineFile, damaged };
  }
  const repaired = await repair(source, { damaged, torn });
  return { ...reports, ...repaired, shape: [...misspelt, ...repaired.shape] };
}

/** Ten thousand steps fit in both. What is longer keeps the YAML parser busy for many seconds. */
const MOST_BYTES = 4 << 20;
/** Lines and entries of `[a, b]`: it is these that take the time. */
const MOST_PARTS = 250_000;

function lengthFault(content: Uint8Array): string | undefined {
  if (content.length > MOST_BYTES) {
    const most = formatSize(MOST_BYTES);
    return `the file has ${formatSize(content.length)}, more than the ${most} that are read`;
  }
  let parts = 0;
  for (const byte of content) if (byte === 0x0a || byte === 0x2c) parts++;
  if (parts <= MOST_PARTS) return undefined;
  const [found, most] = [parts, MOST_PARTS].map((count) => formatCount(count));
  return `the file has ${found} lines and commas, more than the ${most} that are read`;
}

function tooLong(
  { content, path, message }: {
    readonly content: Uint8Array;
    readonly path: string;
    readonly message: string;
  },
): FileReports & { readonly file: undefined } {
  // Its first line, so that there is something to point at.
  const end = content.subarray(0, 1000).indexOf(0x0a);
  const line = new TextDecoder().decode(content.subarray(0, Math.max(0, end)));
  const source = readSource(`# ${line}`, path);
  const report = diagnostic({
    rule: "long-file",
    spot: { ...source.start, sourceLine: source.start.sourceLine.slice(2) },
    message,
    hint: "make many like steps with a matrix, move steps into templates, data into files",
  });
  return { source, yaml: [], shape: [report], hasLostNames: false, file: undefined };
}

function hasShape(value: unknown): boolean {
  return new ShapeChecker(SHAPE as unknown as JsonShape).fits(value);
}

function emptyFile(source: Source): Diagnostic {
  const message = "the file is empty";
  const hint = "write steps: and below it - id: hello with run: echo hello";
  return diagnostic({ rule: "empty-file", spot: source.start, message, hint });
}

/** Keys whose values nothing else in a file refers to. */
const NAMELESS: ReadonlySet<string> = new Set([
  "name",
  "description",
  "env",
  "if",
  "run",
  "shell",
  "timeout",
  "retry",
  "working-directory",
]);

type Repaired =
  | Pick<OpenFile, "file" | "shape" | "damaged">
  | { readonly file: undefined; readonly shape: readonly Diagnostic[] };

interface Damage {
  /** Maps and lists from which something unreadable was taken, and those around them. */
  readonly damaged: ReadonlySet<object>;
  /** Only those from which it was taken. */
  readonly torn: ReadonlySet<unknown>;
}

/** Reports what is wrong with the shape and takes it out, until the rest is right. */
async function repair(source: Source, damage: Damage): Promise<Repaired> {
  const [{ pipelineSchema }, words] = await Promise.all([
    lazy<typeof import("./schema.ts")>("./schema.ts", import.meta.url),
    lazy<typeof import("./check/key_hints.ts")>("./check/key_hints.ts", import.meta.url),
  ]);
  const shape: Diagnostic[] = [];
  const damaged = new Set(damage.damaged);
  for (let round = 0; round < MAX_ROUNDS; round++) {
    const checked = checkSource(source, pipelineSchema, { words });
    if (checked.value !== undefined) {
      const unfit = unfitPrototypes(source, hasShape);
      shape.push(...unfit.map((path) => unfitPrototype(source, path)));
      for (const container of source.prune(unfit) ?? []) damaged.add(container);
      return { file: source.value as PipelineFile, shape, damaged };
    }
    // What taking something out made wrong is no mistake of the author's.
    if (round === 0) {
      const isTorn = (path: readonly PropertyKey[] | undefined) =>
        damage.torn.has(source.at(path ?? []) ?? source.at(path?.slice(0, -1) ?? []));
      const follows = new Set(checked.diagnostics.filter((_, at) => isTorn(checked.faults[at])));
      shape.push(...joinUnindented(checked, source).filter((report) => !follows.has(report)));
    }
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
