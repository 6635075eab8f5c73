/** Pipelines of one task each, for callers that bring values instead of files. */
import type { JsonValue } from "../core/json.ts";
import { pipelineOf, step } from "./command_pipeline.ts";
import type { NodeRequest, Pipeline, SyncAction } from "./pipeline.ts";
import { Text } from "../expression/text.ts";

export interface BatchPipelineOptions {
  readonly call?: string | undefined;
  readonly command?: string | undefined;
  readonly tasks: readonly JsonValue[];
  readonly batchSize: number;
  readonly gpusPerBatch: number;
  readonly cpusPerBatch: number;
  readonly maxFailures: number;
  /** Folder, relative to the project folder, that every node gets first; undefined for none. */
  readonly code: string | undefined;
}

/** The steps `code` (sync), unless there is none, and `batch` (ray-batch). */
export function batchPipeline(options: BatchPipelineOptions): Pipeline {
  const { call, command = "", tasks, code } = options;
  const sync: SyncAction<Text> = {
    kind: "sync",
    from: Text.literal(code ?? "."),
    to: "all",
    as: undefined,
    excludeFrom: undefined,
    exclude: [],
    delete: true,
    writes: [],
  };
  const batch = step("batch", {
    action: {
      kind: "ray-batch",
      target: call === undefined
        ? { command: Text.literal(command) }
        : { call: Text.literal(call) },
      tasks: { list: tasks },
      batchSize: options.batchSize,
      gpusPerBatch: options.gpusPerBatch,
      cpusPerBatch: options.cpusPerBatch,
      maxFailures: options.maxFailures,
    },
    node: { kind: "best" },
    needs: code === undefined ? [] : ["code"],
  });
  const bring = step("code", { action: sync, node: { kind: "best" }, needs: [] });
  return pipelineOf("batch", code === undefined ? [batch] : [bring, batch]);
}

export interface FetchPipelineOptions {
  /** Paths or globs, relative to `folder`. */
  readonly from: readonly string[];
  readonly node: string;
  /** Folder on the node: relative to its workspace, absolute, or below `~`. */
  readonly folder: string | undefined;
  /** Folder relative to the project folder. */
  readonly to: string;
}

/** One step, `fetch`. */
export function fetchPipeline({ from, node, folder, to }: FetchPipelineOptions): Pipeline {
  return fetchesPipeline([{ name: node, node, folder }], { from, to });
}

/** A node, and a folder there. */
export interface FetchSource {
  /** What the source is called where there are several. */
  readonly name: string;
  readonly node: string;
  /** Relative to the node's workspace, absolute, or below `~`. */
  readonly folder: string | undefined;
}

/** One step for each source: `fetch`, or `fetch[<name>]` where there are several. */
export function fetchesPipeline(
  sources: readonly FetchSource[],
  { from, to }: Pick<FetchPipelineOptions, "from" | "to">,
): Pipeline {
  const steps = sources.map(({ name, node, folder }) => {
    const request: NodeRequest<Text> = { kind: "named", name: Text.literal(node) };
    const fetch = step(sources.length === 1 ? "fetch" : `fetch[${name}]`, {
      action: {
        kind: "fetch",
        from: from.map((pattern) => Text.literal(pattern)),
        to: Text.literal(to),
      },
      node: request,
      needs: [],
    });
    const workingDirectory = folder === undefined ? undefined : Text.literal(folder);
    return { ...fetch, workingDirectory };
  });
  return pipelineOf("fetch", steps);
}
