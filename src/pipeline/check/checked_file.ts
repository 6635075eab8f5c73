import type { WrittenStep } from "../written_step.ts";
import type { Schedule } from "../../schedule/schedule.ts";
import type { Graph } from "../graph.ts";
import type { InputSpec } from "../input/inputs.ts";
import type { Concurrency, HookMoment, NodeRequest, SecretSource } from "../pipeline.ts";
import type { PipelineFile } from "../schema.ts";
import type { Text } from "../../expression/text.ts";
import type { TextReader } from "../../expression/reader.ts";

/** One file, understood and checked by itself; matrices and templates are still to be expanded. */
export interface CheckedFile {
  readonly path: string;
  readonly file: PipelineFile;
  readonly reader: TextReader;
  readonly inputs: ReadonlyMap<string, InputSpec>;
  readonly env: Readonly<Record<string, Text>>;
  readonly graph: Graph;
  readonly hooks: Readonly<Record<HookMoment, readonly WrittenStep[]>>;
  readonly secrets: readonly SecretSource[];
  readonly concurrency: Concurrency | undefined;
  readonly schedules: readonly Schedule[];
  readonly outputs: Readonly<Record<string, Text>>;
  readonly defaultNode: NodeRequest<Text> | undefined;
  readonly defaultFolder: Text | undefined;
  readonly defaultBefore: readonly Text[] | undefined;
  /** By id of the `uses` step. */
  readonly templates: ReadonlyMap<string, CheckedFile>;
}

export const HOOK_MOMENTS = ["success", "failure", "exit"] as const;
