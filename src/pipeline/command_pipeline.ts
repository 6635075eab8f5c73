import type { NodeRequest, NodeSelector, Pipeline, RetryPolicy, Step } from "./pipeline.ts";
import { Text } from "../expression/text.ts";

export interface CommandPipelineOptions {
  /** Shell text, taken as it is: `${{ }}` has no meaning here. */
  readonly command: string;
  /** Run on this node instead of the best. */
  readonly node?: string | undefined;
  readonly gpus?: number | undefined;
  /** Part of the name of the GPUs' model; one GPU, unless `gpus` says otherwise. */
  readonly model?: string | undefined;
  readonly labels?: readonly string[] | undefined;
  readonly timeoutMs?: number | undefined;
  /** How long to wait for a node that fits. */
  readonly waitMs?: number | undefined;
}

const TRANSPORT_RETRY: RetryPolicy = {
  max: 2,
  on: ["transport"],
  delayMs: 2000,
  maxDelayMs: 60_000,
  backoff: "exponential",
  jitter: "full",
  avoidNode: false,
};

/** `grid run "command"`: the steps `node` (select-node), unless one is named, and `command` (run). */
export function commandPipeline(options: CommandPipelineOptions): Pipeline {
  const { labels = [], node, model, waitMs = 0 } = options;
  const { gpus = model === undefined ? 0 : 1 } = options;
  const selector: NodeSelector<Text> = {
    gpus,
    minFreeVramBytes: undefined,
    ...(model !== undefined && { model: Text.literal(model) }),
    labels: labels.map((label) => Text.literal(label)),
    among: node === undefined ? [] : [Text.literal(node)],
    waitMs,
  };
  // Where it must offer something as well, a node that is named is chosen like any other.
  const isChosen = node === undefined || gpus > 0 || labels.length > 0 || waitMs > 0;
  const select = step("node", {
    action: { kind: "select-node", selector },
    node: { kind: "best" },
    needs: [],
  });
  const run = step("command", {
    action: { kind: "run", run: Text.literal(options.command) },
    node: isChosen
      ? { kind: "chosen-by", step: "node" }
      : { kind: "named", name: Text.literal(node) },
    needs: isChosen ? ["node"] : [],
    timeoutMs: options.timeoutMs,
  });
  return pipelineOf("command", isChosen ? [select, run] : [run]);
}

export interface SyncPipelineOptions {
  /** Folder relative to the project folder. */
  readonly from: string;
  readonly to: "all" | readonly string[];
  readonly as?: string | undefined;
  /** Patterns in gitignore syntax, on top of the cluster's. */
  readonly exclude?: readonly string[] | undefined;
  /** A file of such patterns. */
  readonly excludeFrom?: string | undefined;
  /** Default: yes. */
  readonly delete?: boolean | undefined;
  /** Also where all, or most of what is on a node, would be removed. */
  readonly force?: boolean | undefined;
  /** Default: `backup`. */
  readonly onDrift?: "fail" | "keep" | "backup" | undefined;
}

/** `grid sync`: one step, `sync`. */
export function syncPipeline(options: SyncPipelineOptions): Pipeline {
  const { from, to, as, exclude = [], excludeFrom } = options;
  const sync = step("sync", {
    action: {
      kind: "sync",
      from: Text.literal(from),
      to: to === "all" ? "all" : to.map((name) => Text.literal(name)),
      as: as === undefined ? undefined : Text.literal(as),
      excludeFrom: excludeFrom === undefined ? undefined : Text.literal(excludeFrom),
      exclude: exclude.map((pattern) => Text.literal(pattern)),
      delete: options.delete ?? true,
      force: options.force ?? false,
      onDrift: options.onDrift ?? "backup",
      writes: [],
    },
    node: { kind: "best" },
    needs: [],
  });
  return pipelineOf("sync", [sync]);
}

/** A pipeline that no file holds. */
export function pipelineOf(name: string, steps: readonly Step[]): Pipeline {
  return {
    name,
    description: undefined,
    file: "",
    inputs: {},
    scopes: { "": { parent: undefined, inputs: {} } },
    secrets: [],
    concurrency: undefined,
    steps,
    hooks: { success: [], failure: [], exit: [] },
    outputs: {},
  };
}

export interface StepParts {
  readonly action: Step["action"];
  readonly node: NodeRequest<Text>;
  readonly needs: readonly string[];
  readonly timeoutMs?: number | undefined;
}

/** A step with the usual limits, for pipelines that Grid itself makes. */
export function step(id: string, parts: StepParts): Step {
  return {
    id,
    place: { file: "", line: 1, column: 1 },
    needs: parts.needs,
    after: [],
    condition: undefined,
    action: parts.action,
    node: parts.node,
    env: {},
    secrets: [],
    timeout: {
      totalMs: undefined,
      attemptMs: parts.timeoutMs,
      idleMs: undefined,
      killGraceMs: 10_000,
    },
    retry: TRANSPORT_RETRY,
    outputs: [],
    workingDirectory: undefined,
    shell: "bash",
    detach: false,
    allowFailure: false,
    cache: undefined,
    scope: "",
    matrix: undefined,
    group: undefined,
  };
}
