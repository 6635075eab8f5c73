/** The pipeline of a run that is gone on from: its file as it is now, with the inputs of then. */
import { relative, resolve } from "node:path";
import type { RunState } from "../engine/reduce.ts";
import type { Grid } from "../grid.ts";
import { loadPipeline } from "../pipeline/load.ts";
import type { Pipeline } from "../pipeline/pipeline.ts";
import type { CommandContext } from "./command_module.ts";
import { inputWords, keyValues } from "./option_values.ts";

export interface EarlierPipelineOptions {
  /** `name=value`, in the place of what the run had. */
  readonly input: readonly string[];
  readonly grid: Grid;
  readonly context: CommandContext;
}

/** @throws {DiagnosticsError} with every mistake of the file and of the inputs; {GridError} `usage` where it is gone */
export async function earlierPipeline(
  earlier: Pick<RunState, "file" | "inputs">,
  { input, grid, context }: EarlierPipelineOptions,
): Promise<Pipeline> {
  const { pipeline } = await loadPipeline({
    file: relative(context.cwd, resolve(grid.project, earlier.file)),
    project: grid.project,
    inputs: { ...inputWords(earlier.inputs), ...keyValues(input) },
    env: context.env,
    nodes: grid.cluster.nodes,
    local: grid.config.local,
  });
  return pipeline;
}
