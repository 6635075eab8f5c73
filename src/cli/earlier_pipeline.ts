/** The pipeline of a run that is gone on from: its file as it is now, with the inputs of then. */
import { relative, resolve } from "node:path";
import { GridError } from "../core/errors.ts";
import { MASK } from "../core/secret.ts";
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

/**
 * @throws {DiagnosticsError} with every mistake of the file and of the inputs; {GridError} `usage` where it is
 * gone, or an input of then is not known any more
 */
export async function earlierPipeline(
  earlier: Pick<RunState, "run" | "file" | "inputs">,
  { input, grid, context }: EarlierPipelineOptions,
): Promise<Pipeline> {
  const given = keyValues(input);
  const { pipeline } = await loadPipeline({
    file: relative(context.cwd, resolve(grid.project, earlier.file)),
    project: grid.project,
    inputs: { ...inputWords(earlier.inputs), ...given },
    env: context.env,
    nodes: grid.cluster.nodes,
    local: grid.config.local,
  });
  refuseMasked(pipeline, { earlier, input });
  return pipeline;
}

/** @throws {GridError} `usage` where an input of then held a secret and is not given anew */
export function refuseMasked(
  pipeline: Pick<Pipeline, "secrets">,
  { earlier, input }: {
    readonly earlier: Pick<RunState, "run" | "inputs">;
    readonly input: readonly string[];
  },
): void {
  const given = keyValues(input);
  const masked = maskedInputs(pipeline, earlier).filter((name) => !Object.hasOwn(given, name));
  if (masked.length === 0) return;
  throw new GridError({
    code: "usage",
    message: `Cannot go on from run ${earlier.run}: ${heldSecrets(masked)}`,
    hint: `give it again: ${masked.map((name) => `-i ${name}=…`).join(" ")}`,
  });
}

/** Inputs that held a secret, so that the journal has a mask in place of it. */
export function maskedInputs(
  { secrets }: Pick<Pipeline, "secrets">,
  { inputs }: Pick<RunState, "inputs">,
): string[] {
  if (secrets.length === 0) return [];
  return Object.keys(inputs).filter((name) => JSON.stringify(inputs[name])?.includes(MASK));
}

/** A clause. */
export function heldSecrets(inputs: readonly string[]): string {
  const names = inputs.map((name) => `"${name}"`).join(", ");
  return `its ${
    inputs.length > 1 ? "inputs" : "input"
  } ${names} held a secret, which no journal keeps`;
}
