/** Names for what a step does: equal where doing it again would do the same. */
import { digestOf } from "../../core/digest.ts";
import { evaluateText } from "../../expression/evaluate.ts";
import { nodeReads } from "../../pipeline/node_reads.ts";
import { shownGlob } from "../../core/glob_fault.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import { type Resolved, resolveStep } from "../attempt/resolve.ts";
import type { Scopes } from "../ledger/scopes.ts";
import type { LocalFiles, NodeSays } from "../ports.ts";
import type { Text } from "../../expression/text.ts";
import { type Brought, INPUTS } from "./brought.ts";
import type { CacheParts } from "./uncached.ts";

/** Changes when what enters a key changes. */
const FORMAT = 1;
/** The same for `cache:`: contents come from what was synced. */
const CACHE_FORMAT = 2;

export interface KeyOptions {
  readonly scopes: Scopes;
  readonly hashFiles: (patterns: readonly string[]) => string;
  /** The same of what was synced, where it was; default: `hashFiles`. */
  readonly hashInputs?: ((patterns: readonly string[]) => string) | undefined;
  /** Digest of what each sync before the step brought. */
  readonly brought?: Brought;
  readonly nodeSays?: NodeSays | undefined;
}

/**
 * The step's command, variables and declared outputs as a hash. Never its attempt, node, run, or
 * limits: none of them changes what is done. Undefined where an expression has no value yet.
 */
export function stepKey(step: Step, options: KeyOptions): string | undefined {
  const resolved = resolveWithoutRun(step, options);
  return resolved && digest([FORMAT, "step", contentOf(step, resolved, options)]);
}

export interface CacheKey {
  readonly key: string;
  /** What enters the key: in words → digest. */
  readonly parts: CacheParts;
  /** The patterns of `cache.inputs`, evaluated. */
  readonly inputs: readonly string[];
  /** The name of the node, where the step says it. */
  readonly node: string | undefined;
}

/** What the step's result depends on besides its words: the inputs that it names, else what was synced. */
export function dependsOn(step: Step, options: KeyOptions): Brought {
  const { brought = {} } = options;
  const patterns = inputsOf(step);
  if (patterns.length === 0) return brought;
  const resolved = resolveWithoutRun(step, options);
  if (!resolved) return brought;
  const scope = options.scopes.of(step, { run: "", env: resolved.env });
  const hashInputs = options.hashInputs ?? options.hashFiles;
  return { [INPUTS]: hashInputs(patterns.map((pattern) => evaluateText(pattern, scope))) };
}

function inputsOf({ inputs = [], cache }: Step): readonly Text[] {
  return inputs.length > 0 ? inputs : cache?.inputs ?? [];
}

/**
 * For `cache:`: the step's key, the contents of the files it names, and the extra word. Where it
 * names no files, all that the syncs before it brought. Only kinds whose outputs say all that later
 * steps need: what a sync or a fetch leaves behind may be gone.
 */
export function cacheKey(step: Step, options: KeyOptions): CacheKey | undefined {
  const { kind } = step.action;
  if (!step.cache || (kind !== "run" && kind !== "ray-batch")) return undefined;
  const resolved = resolveWithoutRun(step, options);
  if (!resolved) return undefined;
  const scope = options.scopes.of(step, { run: "", env: resolved.env });
  const named = step.cache.inputs.length > 0 ? step.cache.inputs : step.inputs ?? [];
  const inputs = named.map((pattern) => evaluateText(pattern, scope));
  const hashInputs = options.hashInputs ?? options.hashFiles;
  const files = inputs.length === 0 ? broughtFiles(options.brought) : hashInputs(inputs);
  const extra = step.cache.key && evaluateText(step.cache.key, scope);
  const makes = step.cache.files?.map((pattern) => evaluateText(pattern, scope));
  const content = contentOf(step, resolved, options);
  const key = digest([CACHE_FORMAT, "cache", content, files, extra, makes]);
  const node = resolved.node.kind === "named" ? resolved.node.name : undefined;
  const parts = {
    ...Object.fromEntries(content.map((part, at) => [CONTENT[at] ?? "", digest(part)])),
    ...(inputs.length === 0
      ? Object.fromEntries(
        Object.entries(options.brought ?? {}).map((
          [sync, bytes],
        ) => [`what "${sync}" brings`, bytes]),
      )
      : { [`the files of ${inputs.join(", ")}`]: digest(files) }),
    ...(extra !== undefined && { "cache.key": digest(extra) }),
    ...(makes !== undefined && { "cache.files": digest(makes) }),
  };
  return { key, parts, inputs, node };
}

/** What stands where in `contentOf`, in words. */
const CONTENT = [
  "what it does",
  "its tasks",
  "its variables",
  "its outputs",
  "its working-directory",
  "its shell",
  "its secrets",
  "its values",
  "its values in files",
  "its before",
  "what the cluster config says of its nodes",
];

/** A misspelt pattern would reuse the same result for ever, and nobody would hear of it. */
export function unmatchedInputs(
  { inputs }: CacheKey,
  files: Pick<LocalFiles, "unmatched"> | undefined,
): readonly string[] {
  if (inputs.length === 0) return [];
  return (files?.unmatched(inputs) ?? []).map((pattern) =>
    `cache.inputs: "${shownGlob(pattern)}" matches no file, so that no change of it is seen`
  );
}

function broughtFiles(brought: Brought = {}): unknown {
  return Object.keys(brought).length === 0 ? "" : sorted(brought);
}

function resolveWithoutRun(step: Step, { scopes }: KeyOptions): Resolved | undefined {
  try {
    return resolveStep(step, {
      scope: (env) => scopes.of(step, { run: "", attempt: 1, env }),
      record: (id) => scopes.record(id),
    });
  } catch {
    // The step will say so itself when it starts, as a failure with a place.
    return undefined;
  }
}

function contentOf(
  step: Step,
  resolved: Resolved,
  { hashFiles, nodeSays }: KeyOptions,
): readonly unknown[] {
  const { action, env, outputs, workingDirectory, shell, values, inFiles = [], before } = resolved;
  const tasks = action.kind === "ray-batch" && "file" in action.tasks
    ? hashFiles([action.tasks.file])
    : undefined;
  const content = [
    action,
    tasks,
    sorted(env),
    outputs,
    workingDirectory,
    shell,
    step.secrets.toSorted(),
  ];
  // Most steps have none; their keys are those of earlier versions.
  const places = action.kind === "run" ? nodeSays?.(resolved.node, nodeReads(step)) : undefined;
  if (before !== undefined || places !== undefined) {
    return [...content, values ?? null, inFiles, before, places];
  }
  return values === undefined && inFiles.length === 0 ? content : [...content, values, inFiles];
}

function sorted(record: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(record).toSorted(([a], [b]) => a < b ? -1 : 1);
}

function digest(content: unknown): string {
  return digestOf(JSON.stringify(content) ?? "").slice(0, 32);
}
