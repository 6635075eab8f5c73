/** The command line of a runner that lives on a node. */
import type { Pipeline } from "../../pipeline/pipeline.ts";
import { inputWords } from "../option_values.ts";
import type { GlobalFlags } from "../settings.ts";

export interface SubmitOnFlags extends GlobalFlags {
  readonly input: readonly string[];
  readonly inputs?: string;
  readonly from?: string;
  readonly only?: string;
  readonly failFast?: true;
  readonly maxParallel?: number;
  readonly maxOutput?: number;
  readonly node?: string;
  readonly gpus?: number;
  readonly gpu?: string;
  readonly label: readonly string[];
  readonly wait?: true;
  readonly timeout?: number;
  readonly exitCode: string;
  readonly restart?: true;
}

/** Inputs are those of here, also where files or variables gave them. */
export function runnerWords(
  target: string,
  { pipeline, flags }: { readonly pipeline: Pipeline | undefined; readonly flags: SubmitOnFlags },
): string[] {
  const option = (name: string, value: string | number | undefined) =>
    value === undefined ? [] : [name, String(value)];
  const both = [
    ...option("--max-output", flags.maxOutput && `${flags.maxOutput}B`),
    ...option("--exit-code", flags.exitCode),
  ];
  if (pipeline !== undefined) {
    const inputs = Object.entries(inputWords(pipeline.inputs));
    return [
      "run",
      pipeline.file.startsWith("-") ? `./${pipeline.file}` : pipeline.file,
      ...inputs.flatMap(([name, value]) => ["-i", `${name}=${value}`]),
      ...option("--from", flags.from),
      ...option("--only", flags.only),
      ...flags.failFast ? ["--fail-fast"] : [],
      ...option("--max-parallel", flags.maxParallel),
      ...both,
    ];
  }
  return [
    "run",
    ...option("--node", flags.node),
    ...option("--gpus", flags.gpus),
    ...option("--gpu", flags.gpu),
    ...flags.label.flatMap((label) => ["--label", label]),
    ...flags.wait ? ["--wait"] : [],
    ...option("--timeout", flags.timeout && `${flags.timeout}ms`),
    ...both,
    ...target.startsWith("-") ? ["--"] : [],
    target,
  ];
}
