/** Writes pipeline files into a temporary folder and loads them. */
import { dirname, join } from "node:path";
import type { Diagnostic } from "../../src/document/diagnostic.ts";
import { DiagnosticsError } from "../../src/document/diagnostic.ts";
import { type Loaded, loadPipeline } from "../../src/pipeline/load.ts";
import type { LoadOptions } from "../../src/pipeline/load_options.ts";
import type { Pipeline, Step } from "../../src/pipeline/pipeline.ts";
import { tempDir } from "./temp_dir.ts";

export interface PipelineFiles {
  /** The main file. */
  readonly main: string;
  /** Further files by path beside it. */
  readonly more?: Readonly<Record<string, string>>;
}

type Options = Partial<Omit<LoadOptions, "file" | "project">>;

export async function loadText(
  files: PipelineFiles | string,
  options: Options = {},
): Promise<Loaded> {
  const { main, more = {} } = typeof files === "string" ? { main: files } : files;
  using folder = tempDir();
  for (const [path, text] of Object.entries({ ...more, "main.yaml": main })) {
    const full = join(folder.path, path);
    Deno.mkdirSync(dirname(full), { recursive: true });
    Deno.writeTextFileSync(full, text);
  }
  const file = join(folder.path, "main.yaml");
  return await loadPipeline({ file, project: folder.path, env: {}, ...options });
}

/** `line:column rule` of every mistake, in order. */
export async function mistakesOf(
  files: PipelineFiles | string,
  options: Options = {},
): Promise<readonly string[]> {
  const found = await diagnosticsOf(files, options);
  return found.map(({ place, rule }) => `${place.line}:${place.column} ${rule}`);
}

export async function diagnosticsOf(
  files: PipelineFiles | string,
  options: Options = {},
): Promise<readonly Diagnostic[]> {
  try {
    return (await loadText(files, options)).warnings;
  } catch (error) {
    if (error instanceof DiagnosticsError) return error.diagnostics;
    throw error;
  }
}

export function stepOf(pipeline: Pipeline, id: string): Step {
  const step = pipeline.steps.find((step) => step.id === id);
  if (!step) {
    throw new Error(`no step ${id} in ${pipeline.steps.map((step) => step.id).join(", ")}`);
  }
  return step;
}
