/** `grid plan`: which results a run would use again, and why, before anything starts. */
import { looksAlways } from "../../pipeline/step_kinds.ts";
import type { DataAction } from "../../pipeline/data_action.ts";
import type { Pipeline, Step } from "../../pipeline/pipeline.ts";
import { chooseSteps } from "../schedule/choice.ts";
import type { DataFinished, SyncFinished } from "../event.ts";
import type { LocalFiles, NodeSays, ResultCache } from "../ports.ts";
import { UNKNOWN_DIGEST } from "./brought.ts";
import { cachedReason, cachedResult, earlierResult, type KnownResult } from "./reuse.ts";
import { Folders } from "../ledger/folders.ts";
import { Scopes } from "../ledger/scopes.ts";
import type { RunState } from "../reduce.ts";
import { type CacheKey, cacheKey, dependsOn, stepKey, unmatchedInputs } from "./step_key.ts";
import { lastKey, uncachedReason } from "./uncached.ts";

export interface PreviewOptions {
  readonly env: Readonly<Record<string, string>>;
  readonly hashFiles: (patterns: readonly string[]) => string;
  /** The run that would be resumed. */
  readonly resume?: RunState | undefined;
  /** Would be done again, with all that comes after it. */
  readonly from?: string | undefined;
  /** Step of a sync → digest of what it would bring; absent where only the sync can tell. */
  readonly digests?: ReadonlyMap<string, string>;
  readonly files?: LocalFiles;
  readonly nodeSays?: NodeSays;
  readonly results?: Pick<ResultCache, "find"> | undefined;
}

export interface Forecast {
  readonly will: "run" | "reuse" | "attach";
  /** One clause; absent where there was nothing to decide. */
  readonly reason?: string;
  readonly warnings?: readonly string[];
}

/**
 * A forecast for every step but groups. What depends on outputs that are not there yet is forecast
 * to run; the run itself may still find that nothing changed.
 *
 * @throws {GridError} `usage` for a `from` that names no step
 */
export function previewReuse(
  pipeline: Pipeline,
  options: PreviewOptions,
): ReadonlyMap<string, Forecast> {
  const preview = new Preview(pipeline, options);
  const forecasts = pipeline.steps.flatMap((step) => {
    const forecast = preview.of(step);
    return forecast ? [[step.id, forecast] as const] : [];
  });
  return new Map(forecasts);
}

class Preview {
  readonly #options: PreviewOptions;
  readonly #pipeline: string;
  readonly #scopes: Scopes;
  readonly #folders: Folders;
  readonly #steps: ReadonlyMap<string, Step>;
  readonly #forced: ReadonlySet<string>;
  /** Steps that do their work, so that what comes after them is unknown. */
  readonly #fresh = new Set<string>();

  constructor(pipeline: Pipeline, options: PreviewOptions) {
    const { env, hashFiles, from } = options;
    this.#options = options;
    this.#pipeline = pipeline.name;
    this.#scopes = new Scopes(pipeline, { run: "", env, hashFiles, files: options.files });
    this.#folders = new Folders(pipeline.steps);
    this.#steps = new Map(pipeline.steps.map((step) => [step.id, step]));
    this.#forced = chooseSteps(pipeline.steps, { from }) ?? new Set();
  }

  /** Steps come in an order in which every step comes after what it needs. */
  of(step: Step): Forecast | undefined {
    const forecast = this.#forecast(step);
    if (step.action.kind === "sync") this.#folders.add(this.#syncOf(step));
    if (step.action.kind === "data") this.#folders.add(dataOf(step, step.action));
    this.#folders.end(step);
    return forecast;
  }

  #forecast(step: Step): Forecast | undefined {
    if (step.action.kind === "group") {
      const record = { state: "succeeded", outputs: {}, node: undefined } as const;
      this.#scopes.add(step, record);
      return undefined;
    }
    const cached = this.#options.results && cacheKey(step, this.#keys(step));
    const warnings = cached ? unmatchedInputs(cached, this.#options.files) : [];
    const forecast = {
      ...forecastOf(this.#known(step, cached), step),
      ...(warnings.length > 0 && { warnings }),
    };
    if (forecast.will !== "reuse" && !looksAlways(step.action.kind)) this.#taint(step);
    return forecast;
  }

  #keys(step: Step) {
    const { hashFiles, nodeSays } = this.#options;
    const brought = this.#folders.broughtBefore(step);
    return { scopes: this.#scopes, hashFiles, brought, nodeSays };
  }

  #known(
    step: Step,
    cache: CacheKey | undefined,
  ): KnownResult {
    const { resume, results, files } = this.#options;
    const before = this.#freshBefore(step);
    const forced = this.#forced.has(step.id);
    let known: KnownResult = { kind: "none" };
    if (resume) {
      const question = {
        key: stepKey(step, this.#keys(step)),
        brought: dependsOn(step, this.#keys(step)),
        repeatedBefore: before !== undefined,
        forced,
        stands: this.#options.from !== undefined,
        files,
      };
      known = earlierResult(resume, step, question);
    }
    if (known.kind === "none" && cache && results && !forced && before === undefined) {
      const cached = results.find(cache.key);
      const uncached = () =>
        uncachedReason(cache.parts, results.find(lastKey(this.#pipeline, step.id)));
      const stand = cached ? cachedResult(cached, { ...cache, files }) : undefined;
      if (!stand) known = { ...known, uncached: uncached() };
      else known = stand.kind === "none" ? { ...known, ...stand } : stand;
    }
    if (known.kind === "reuse" || known.kind === "verify") {
      const { outputs, filed, node } = known.kind === "reuse"
        ? { ...known, node: known.from.node }
        : { node: undefined, ...known.cached };
      const unkept = known.kind === "reuse" ? known.masked : undefined;
      this.#scopes.add(step, {
        state: "reused",
        outputs,
        ...(filed && { filed }),
        node,
        ...(unkept && { unkept }),
      });
    }
    return known;
  }

  #syncOf(step: Step): SyncFinished {
    // Work before it, such as a fetch, may change its source yet.
    const known = this.#freshBefore(step) === undefined
      ? this.#options.digests?.get(step.id)
      : undefined;
    const digest = known ?? UNKNOWN_DIGEST;
    const nothing = { sent: 0, deleted: 0, total: 0, bytes: 0, durationMs: 0 };
    const where = { step: step.id, attempt: 1, node: "", folder: "" };
    return { type: "sync.finished", at: 0, ...where, ...nothing, digest };
  }

  #freshBefore(step: Step): string | undefined {
    for (let at: Step | undefined = step; at; at = this.#steps.get(at.group ?? "")) {
      const fresh = [...at.needs, ...at.after].find((id) => this.#fresh.has(id));
      if (fresh !== undefined) return fresh;
    }
    return undefined;
  }

  #taint(step: Step): void {
    for (let at: Step | undefined = step; at; at = this.#steps.get(at.group ?? "")) {
      this.#fresh.add(at.id);
    }
  }
}

/** What it holds is known once all of it was read. */
function dataOf({ id }: Step, { name }: DataAction<unknown>): DataFinished {
  const where = { step: id, attempt: 1, node: "", path: "", name };
  const nothing = { files: 0, bytes: 0, sent: 0, wasThere: true };
  return { type: "data.finished", at: 0, ...where, ...nothing, digest: UNKNOWN_DIGEST };
}

function forecastOf(known: KnownResult, step: Step): Forecast {
  switch (known.kind) {
    case "reuse":
      return { will: "reuse", reason: known.reason };
    case "attach":
      return { will: "attach", reason: `its job still runs on ${known.node}` };
    case "verify": {
      const { made, node } = known.cached;
      const files = made?.patterns.join(", ");
      const where = node === undefined ? "" : ` on ${node}`;
      return {
        will: "reuse",
        reason: `${cachedReason(known.cached)}; if ${files}${where} is as it left it`,
      };
    }
    case "none": {
      const uncached = known.uncached && `cache not used: ${known.uncached}`;
      const reason = known.because ?? uncached ??
        (step.cache ? "nothing cached fits" : undefined);
      return { will: "run", ...(reason !== undefined && { reason }) };
    }
  }
}
