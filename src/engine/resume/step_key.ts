/** Names for what a step does: equal where doing it again would do the same. */
import { hash } from "node:crypto";
import { evaluateText } from "../../pipeline/expression/evaluate.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import { type Resolved, resolveStep } from "../attempt/resolve.ts";
import type { Scopes } from "../ledger/scopes.ts";
import type { LocalFiles } from "../ports.ts";
import type { Brought } from "./brought.ts";

/** Changes when what enters a key changes. */
const FORMAT = 1;

export interface KeyOptions {
  readonly scopes: Scopes;
  readonly hashFiles: (patterns: readonly string[]) => string;
  /** Digest of what each sync before the step brought. */
  readonly brought?: Brought;
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
  /** The patterns of `cache.inputs`, evaluated. */
  readonly inputs: readonly string[];
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
  const inputs = step.cache.inputs.map((pattern) => evaluateText(pattern, scope));
  const files = inputs.length === 0 ? broughtFiles(options.brought) : options.hashFiles(inputs);
  const extra = step.cache.key && evaluateText(step.cache.key, scope);
  const key = digest([FORMAT, "cache", contentOf(step, resolved, options), files, extra]);
  return { key, inputs };
}

/** A misspelt pattern would reuse the same result for ever, and nobody would hear of it. */
export function unmatchedInputs(
  { inputs }: CacheKey,
  files: Pick<LocalFiles, "unmatched"> | undefined,
): readonly string[] {
  if (inputs.length === 0) return [];
  return (files?.unmatched(inputs) ?? []).map((pattern) =>
    `cache.inputs: ${pattern} matches no file, so that no change of it is seen`
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

function contentOf(step: Step, resolved: Resolved, { hashFiles }: KeyOptions): unknown {
  const { action, env, outputs, workingDirectory, shell } = resolved;
  const tasks = action.kind === "ray-batch" && "file" in action.tasks
    ? hashFiles([action.tasks.file])
    : undefined;
  return [action, tasks, sorted(env), outputs, workingDirectory, shell, step.secrets.toSorted()];
}

function sorted(record: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(record).toSorted(([a], [b]) => a < b ? -1 : 1);
}

function digest(content: unknown): string {
  return hash("sha256", JSON.stringify(content), "hex").slice(0, 32);
}
