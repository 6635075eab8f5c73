import { GridError } from "../../core/errors.ts";
import { own } from "../../core/own.ts";
import type { NodeScope } from "../../expression/evaluate.ts";
import { nodeReads } from "../../pipeline/node_reads.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import type { AttemptParts } from "./retry_loop.ts";
import { fetchTargets, isBehindNewWork, madeThere } from "./fetch_targets.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { DataPaths } from "../data_paths.ts";
import type { CachedResult, StepRequest } from "../ports.ts";
import { evaluate, resolveStep } from "./resolve.ts";

export interface RequestContext {
  readonly run: string;
  readonly pipeline: string;
  readonly secrets: Readonly<Record<string, string>>;
  readonly steps: ReadonlyMap<string, Step>;
}

interface RequestParts {
  readonly ledger: Ledger;
  /** What `cache:` kept, to be verified on its node. */
  readonly earlier?: CachedResult | undefined;
}

/**
 * What a step's kind is given for one attempt.
 *
 * @throws {GridError} where an expression or a secret has no value
 */
export function requestOf(
  step: Step,
  context: RequestContext & AttemptParts & RequestParts,
): StepRequest {
  const { ledger, attempt, avoidNodes, resumeJob, run, pipeline } = context;
  const resolve = (node?: NodeScope) =>
    resolveStep(step, {
      scope: (env) => ({ ...ledger.scopes.of(step, { attempt, env }), node }),
      record: (id) => ledger.scopes.record(id),
    });
  const readsNode = nodeReads(step).length > 0;
  if (readsNode && step.action.kind === "ray-batch") throw manyNodes(step);
  const request: StepRequest = {
    ...resolve(),
    run,
    pipeline,
    isBare: step.place.file === "",
    step: step.id,
    attempt,
    avoidNodes,
    resumeJob,
    secrets: pickSecrets(step, context.secrets),
    folders: ledger.folders.before(step),
    trees: ledger.folders.treesBefore(step),
    ...dataRequest(ledger.folders.dataBefore(step)),
    ...cacheRequest(step, context),
    ...(step.action.kind === "fetch" && {
      isBehindNewWork: isBehindNewWork(step, { steps: context.steps, scopes: ledger.scopes }),
    }),
    ...(step.action.kind === "sync" && {
      fetchTargets: fetchTargets(step, { steps: context.steps, scopes: ledger.scopes }),
      madeThere: madeThere(step, { steps: context.steps, scopes: ledger.scopes }),
    }),
  };
  return readsNode
    ? { ...request, forNode: (node) => ({ ...request, ...resolve(node) }) }
    : request;
}

function dataRequest(data: DataPaths): Pick<StepRequest, "data"> {
  return Object.keys(data).length === 0 ? {} : { data };
}

function manyNodes({ id, place }: Step): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot start "${id}": what it finds reads the node, and a batch has many`,
    hint: "read node.… in the env: of run steps alone",
    place,
  });
}

function cacheRequest(
  step: Step,
  { ledger, attempt, earlier }: AttemptParts & RequestParts,
): Pick<StepRequest, "cache"> {
  if (step.cache === undefined) return {};
  const scope = ledger.scopes.of(step, { attempt });
  const files = step.cache.files?.map((pattern) => evaluate(pattern, scope));
  return { cache: { files, earlier } };
}

function pickSecrets(
  { id, secrets: names }: Step,
  values: Readonly<Record<string, string>>,
): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name): [string, string] => {
    const value = own(values, name);
    if (value !== undefined) return [name, value];
    throw new GridError({
      code: "usage",
      message: `Cannot start "${id}": the secret ${name} has no value`,
      hint: `set ${name} in the environment, or say under secrets: where it comes from`,
    });
  }));
}
