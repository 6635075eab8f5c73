import { relative, resolve } from "node:path";
import { lazy } from "../core/lazy.ts";
import { loadClusterConfig } from "../cluster/load_config.ts";
import { loadPipeline } from "../pipeline/load.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { CliContext } from "./context.ts";
import { keyValues } from "./option_values.ts";
import { type GlobalFlags, readSettings } from "./settings.ts";

export interface PipelineFlags extends GlobalFlags {
  /** Words of `-i`. */
  readonly input: readonly string[];
  readonly inputs?: string;
}

export interface ReadPipelineOptions {
  readonly flags: PipelineFlags;
  readonly context: CliContext;
}

/**
 * Loads the pipeline named on the command line against the configured nodes; warnings are shown.
 *
 * @throws {DiagnosticsError} with every mistake of the pipeline, or of the cluster config
 */
export async function readPipeline(
  file: string,
  { flags, context }: ReadPipelineOptions,
): Promise<Pipeline> {
  const settings = readSettings(flags, context);
  const { project, configFile } = settings;
  const { nodes, local } = await loadClusterConfig({ file: configFile, project, env: context.env });
  const { pipeline, warnings } = await loadPipeline({
    file,
    project,
    inputs: keyValues(flags.input),
    ...(flags.inputs !== undefined && { inputsFile: flags.inputs }),
    env: context.env,
    nodes,
    local,
  });
  if (warnings.length > 0 && !settings.quiet) {
    const { showDiagnostics } = await lazy<typeof import("./diagnostics.ts")>(
      "./diagnostics.ts",
      import.meta.url,
    );
    await showDiagnostics(warnings, { format: "text", color: settings.color, context });
  }
  // Journals and reports name files from the project folder, wherever the run was started.
  return { ...pipeline, file: relative(project, resolve(context.cwd, file)) };
}
