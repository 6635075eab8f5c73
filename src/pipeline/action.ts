import { parseGlob } from "../core/glob.ts";
import { isJsonPath } from "../core/json_path.ts";
import { parseSize } from "../core/size.ts";
import { isContainer } from "../document/source.ts";
import { readService } from "./service.ts";
import type {
  Action,
  FetchAction,
  NodeRequest,
  NodeSelector,
  OutputSource,
  RayBatchAction,
  SyncAction,
} from "./pipeline.ts";
import { readContainer } from "./container.ts";
import type { DataAction } from "./data_action.ts";
import { durationMs } from "./policy.ts";
import type { HookEntry, SelectorEntry } from "./schema.ts";
import { readScript } from "../script/read_script.ts";
import { readGang } from "./read_gang.ts";
import type { KindKey } from "./step_kinds.ts";
import type { Text } from "../expression/text.ts";
import { Text as TextValue } from "../expression/text.ts";
import type { TextReader } from "../expression/reader.ts";

/** What a step of the given kind does; `uses` is not an action but other steps. */
export function readAction(
  entry: HookEntry,
  kind: Exclude<KindKey, "uses">,
  reader: TextReader,
): Action<Text> {
  switch (kind) {
    case "run":
      return {
        kind,
        run: readScript(entry, "run", reader),
        ...readContainer(entry, reader),
        ...readGang(entry, reader),
        ...(entry.service !== undefined && { service: readService(entry, reader) }),
      };
    case "select-node":
      return { kind, selector: readSelector(entry["select-node"] ?? {}, reader) };
    case "sync":
      return readSync(entry.sync ?? {}, reader);
    case "fetch":
      return readFetch(entry.fetch ?? { from: [] }, reader);
    case "data":
      return readData(entry, reader);
    case "ray-batch":
      return readBatch(entry["ray-batch"] ?? { tasks: [] }, { entry, reader });
  }
}

function readSync(sync: NonNullable<HookEntry["sync"]>, reader: TextReader): SyncAction<Text> {
  return {
    kind: "sync",
    from: reader.optional(sync, "from") ?? TextValue.literal("."),
    to: sync.to === undefined || sync.to === "all" ? "all" : reader.list(sync, "to"),
    as: reader.optional(sync, "as"),
    excludeFrom: reader.optional(sync, "exclude-from"),
    exclude: reader.list(sync, "exclude"),
    delete: sync.delete ?? true,
    onDrift: sync["on-drift"] ?? "backup",
    writes: reader.globs(sync, "writes", parseGlob),
  };
}

function readData(entry: HookEntry, reader: TextReader): DataAction<Text> {
  const data = entry.data ?? { from: "" };
  return {
    kind: "data",
    from: reader.optional(data, "from") ?? TextValue.literal("."),
    to: data.to === undefined || data.to === "all" ? "all" : reader.list(data, "to"),
    name: data.name ?? entry.id ?? "data",
    exclude: reader.list(data, "exclude"),
    direct: data.direct ?? true,
  };
}

function readFetch(fetch: NonNullable<HookEntry["fetch"]>, reader: TextReader): FetchAction<Text> {
  return {
    kind: "fetch",
    from: reader.globs(fetch, "from", parseGlob),
    to: reader.optional(fetch, "to") ?? TextValue.literal("."),
  };
}

type BatchEntry = NonNullable<HookEntry["ray-batch"]>;

function readBatch(
  batch: BatchEntry,
  { entry, reader }: { readonly entry: HookEntry; readonly reader: TextReader },
): RayBatchAction<Text> {
  const call = reader.optional(batch, "call");
  const command = batch.command === undefined ? undefined : readScript(batch, "command", reader);
  const isDamaged = batch.tasks === undefined;
  if ((call === undefined) === (command === undefined) && !isDamaged) {
    reader.report({
      rule: "batch-target",
      spot: call === undefined
        ? reader.source.keySpot(entry, "ray-batch")
        : reader.source.keySpot(batch, "command"),
      message: call === undefined
        ? "a ray-batch needs call: or command:"
        : "a ray-batch takes call: or command:, not both",
      hint: "call: module:function, or command: python score.py",
    });
  }
  const named = call?.constant;
  if (named !== undefined && !/^[\w.]+:[\w.]+$/.test(named)) {
    reader.report({
      rule: "batch-call",
      spot: reader.source.valueSpot(batch, "call"),
      message: `"${named}" names no function of a module`,
      hint: "write module:function, such as tasks.score:score_shard",
    });
  }
  return {
    kind: "ray-batch",
    target: call === undefined ? { command: command ?? TextValue.literal("") } : { call },
    tasks: readTasks(batch, reader),
    setup: reader.optional(batch, "setup"),
    batchSize: batch["batch-size"] ?? "auto",
    gpusPerBatch: batch["gpus-per-batch"] ?? 0,
    cpusPerBatch: batch["cpus-per-batch"] ?? 1,
    maxFailures: batch["max-failures"] ?? 0,
    stopsOnFailure: batch["on-item-failure"] === "stop",
    itemTimeoutMs: durationMs(batch["item-timeout"]),
    ...readRetries(batch["item-retries"]),
    maxInFlight: batch["max-in-flight"],
  };
}

function readRetries(
  retries: BatchEntry["item-retries"],
): Pick<RayBatchAction<Text>, "itemRetries" | "itemRetryOn"> {
  if (retries === undefined || typeof retries === "number") {
    return { itemRetries: retries ?? 0, itemRetryOn: [] };
  }
  const { max, on = [] } = retries;
  return { itemRetries: max, itemRetryOn: [on].flat().map(String) };
}

function readTasks(batch: BatchEntry, reader: TextReader): RayBatchAction<Text>["tasks"] {
  const { tasks } = batch;
  if (typeof tasks === "string") {
    const expression = reader.text(batch, "tasks");
    if (expression.constant !== undefined) {
      reader.report({
        rule: "batch-tasks",
        spot: reader.source.valueSpot(batch, "tasks"),
        message: `tasks is text, not a list: "${tasks}"`,
        hint: `write { file: ${tasks} } for a file, or an expression that gives a list`,
      });
    }
    return { expression };
  }
  if (Array.isArray(tasks)) return { list: tasks.map((_, at) => reader.exact(tasks, at)) };
  if ("range" in tasks) return { range: tasks.range };
  return { file: reader.text(tasks, "file") };
}

export function readSelector(selector: SelectorEntry, reader: TextReader): NodeSelector<Text> {
  const vram = selector["min-free-vram"];
  const memory = selector["min-free-memory"];
  const disk = selector["min-free-disk"];
  const { "max-load": maxLoad, "max-score": maxScore } = selector;
  const sizeOf = (text: string | undefined) => text === undefined ? undefined : parseSize(text);
  return {
    gpus: selector.gpus ?? (vram === undefined && selector.gpu === undefined ? 0 : 1),
    minFreeVramBytes: sizeOf(vram),
    ...(selector.gpu !== undefined && { model: reader.text(selector, "gpu") }),
    ...(selector.share !== undefined && { share: selector.share }),
    ...(memory !== undefined && { minFreeMemoryBytes: sizeOf(memory) }),
    ...(disk !== undefined && { minFreeDiskBytes: sizeOf(disk) }),
    ...(maxLoad !== undefined && { maxLoad }),
    ...(maxScore !== undefined && { maxScore }),
    labels: reader.list(selector, "labels"),
    among: reader.list(selector, "among"),
    ...(selector.exclude !== undefined && { exclude: reader.list(selector, "exclude") }),
    waitMs: durationMs(selector.wait) ?? 0,
  };
}

/** The lines before a command as written; undefined where nothing is. */
export function readBefore(
  container: { readonly before?: HookEntry["before"] },
  reader: TextReader,
): readonly Text[] | undefined {
  const { before } = container;
  if (before === undefined) return undefined;
  if (typeof before === "string") return [readScript(container, "before", reader)];
  return before.map((_, index) => readScript(before, index, reader));
}

/** A node as written; undefined where nothing is. */
export function readNode(
  container: { readonly node?: HookEntry["node"] },
  reader: TextReader,
): NodeRequest<Text> | undefined {
  const { node } = container;
  if (node === undefined) return undefined;
  if (isContainer(node)) return { kind: "selector", selector: readSelector(node, reader) };
  return { kind: "named", name: reader.text(container, "node") };
}

export function readOutputs(entry: HookEntry, reader: TextReader): OutputSource<Text>[] {
  const outputs = entry.outputs ?? {};
  return Object.entries(outputs).map(([name, output]): OutputSource<Text> => {
    if (typeof output !== "object") {
      return { name, from: "value", value: reader.text(outputs, name) };
    }
    switch (output.from) {
      case "file":
        return {
          name,
          from: "file",
          path: reader.text(output, "path"),
          json: checkedPath(output, reader),
        };
      case "stdout":
        return { name, from: "stdout", match: checkedPattern(output, reader) };
      case "value":
        return { name, from: "value", value: reader.text(output, "value") };
    }
  });
}

function checkedPath(
  output: { readonly json?: string | undefined },
  reader: TextReader,
): string | undefined {
  if (output.json === undefined || isJsonPath(output.json)) return output.json;
  reader.report({
    rule: "bad-json-path",
    spot: reader.source.valueSpot(output, "json"),
    message: `not a path into JSON: ${output.json}`,
    hint: 'write it like .metrics.loss, .runs[0].score or ["val loss"]',
  });
  return undefined;
}

function checkedPattern(output: { readonly match: string }, reader: TextReader): string {
  const hint = "test it on a line of the output; backslashes are kept in single quotes";
  reader.pattern(output, "match", { multiline: true, hint });
  return output.match;
}
