/** Finds out, before a step starts, whether it has to: what resuming and `cache:` offer. */
import { looksAlways } from "../../pipeline/step_kinds.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import { type Brought, broughtOther } from "./brought.ts";
import type { Ledger } from "../ledger/ledger.ts";
import type { CachedResult, LocalFiles, Made, ResultCache } from "../ports.ts";
import { cachedResult, earlierResult, holdsSecret, type KnownResult } from "./reuse.ts";
import type { RunState } from "../reduce.ts";
import {
  type CacheKey,
  cacheKey,
  dependsOn,
  type KeyOptions,
  stepKey,
  unmatchedInputs,
} from "./step_key.ts";
import { lastKey, uncachedReason } from "./uncached.ts";

export interface ResumeFrom {
  /** The run that is resumed, folded from its journal. */
  readonly state: RunState;
  /** Steps to do again whatever the earlier run has. */
  readonly forced: ReadonlySet<string>;
  /** Steps were asked for by name: of the others what finished stands. */
  readonly stands?: boolean;
}

export interface KnownResultsOptions {
  readonly run: string;
  readonly pipeline: string;
  readonly ledger: Ledger;
  readonly hashFiles: KeyOptions["hashFiles"];
  readonly hashInputs?: KeyOptions["hashInputs"];
  readonly results: ResultCache | undefined;
  readonly files: LocalFiles | undefined;
  readonly nodeSays?: KeyOptions["nodeSays"];
  readonly resume: ResumeFrom | undefined;
}

export interface Prepared {
  readonly key: string | undefined;
  /** Digest of what each sync before it brought. */
  readonly brought: Brought;
  readonly cache: CacheKey | undefined;
  readonly known: KnownResult;
  readonly warnings: readonly string[];
}

export class KnownResults {
  readonly #options: KnownResultsOptions;
  readonly #steps: ReadonlyMap<string, Step>;
  /** Steps that did their work in this run, so that what comes after them may differ. */
  readonly #repeated = new Set<string>();

  constructor(steps: readonly Step[], options: KnownResultsOptions) {
    this.#options = options;
    this.#steps = new Map(steps.map((step) => [step.id, step]));
  }

  /** Everything before the step has ended. */
  prepare(step: Step): Prepared {
    const { ledger, hashFiles } = this.#options;
    const options = {
      scopes: ledger.scopes,
      hashFiles,
      hashInputs: this.#options.hashInputs,
      nodeSays: this.#options.nodeSays,
      brought: ledger.folders.broughtBefore(step),
    };
    const cache = this.#options.results && cacheKey(step, options);
    const keys = {
      key: stepKey(step, options),
      brought: dependsOn(step, options),
      cache,
      warnings: cache ? unmatchedInputs(cache, this.#options.files) : [],
    };
    const known = this.#known(step, keys);
    if (known.kind === "reuse" && known.stale !== undefined) {
      const warning = `its earlier result stands, though it is stale: ${known.stale}`;
      const { key, brought = {} } = known;
      return { ...keys, key, brought, known, warnings: [...keys.warnings, warning] };
    }
    if (!("brought" in known) || known.brought === undefined) return { ...keys, known };
    const warnings = [...keys.warnings, ...takenOverWarnings(known, keys.brought)];
    // What is reused or taken over saw what there was when it began.
    return { ...keys, brought: known.brought, known, warnings };
  }

  /** The step does its work now. A sync that only looks again changes nothing behind it. */
  started(step: Step): void {
    if (looksAlways(step.action.kind)) return;
    this.#repeated.add(step.id);
    for (let up = step.group; up !== undefined; up = this.#steps.get(up)?.group) {
      this.#repeated.add(up);
    }
  }

  /** The step succeeded: `cache:` keeps what it gave. */
  keep(step: Step, result: {
    readonly cache: CacheKey;
    readonly outputs: Parameters<typeof holdsSecret>[0];
    readonly filed?: CachedResult["filed"];
    readonly node: string | undefined;
    readonly made: Made | undefined;
  }): void {
    const { ledger, results, run, pipeline } = this.#options;
    const { cache, outputs, filed, node, made } = result;
    // What a secret is part of must not outlive the run.
    if (holdsSecret(ledger.mask(outputs))) return;
    const at = ledger.now;
    const kept = {
      run,
      step: step.id,
      at,
      outputs,
      ...(filed && { filed }),
      ...(node === undefined ? {} : { node }),
      ...(made === undefined ? {} : { made }),
    };
    results?.keep(cache.key, kept);
    // What it came from is told to whoever finds nothing; its values have been kept above.
    results?.keep(lastKey(pipeline, step.id), {
      run,
      step: step.id,
      at,
      outputs: {},
      parts: cache.parts,
    });
  }

  #known(
    step: Step,
    keys: Omit<Prepared, "known">,
  ): KnownResult {
    const { resume, results, files, pipeline } = this.#options;
    const { cache } = keys;
    const forced = resume?.forced.has(step.id) ?? false;
    const fromRun: KnownResult = resume
      ? earlierResult(resume.state, step, {
        ...keys,
        repeatedBefore: this.#isRepeatedBefore(step),
        forced,
        stands: resume.stands ?? false,
        files,
      })
      : { kind: "none" };
    if (fromRun.kind !== "none") return fromRun;
    if (cache === undefined || forced || !results) return fromRun;
    const cached = results.find(cache.key);
    if (cached) {
      const stand = cachedResult(cached, { ...cache, files });
      return stand.kind === "none" ? { ...fromRun, ...stand } : stand;
    }
    const last = results.find(lastKey(pipeline, step.id));
    return { ...fromRun, uncached: uncachedReason(cache.parts, last) };
  }

  #isRepeatedBefore(step: Step): boolean {
    for (let at: Step | undefined = step; at; at = this.#groupOf(at)) {
      if ([...at.needs, ...at.after].some((id) => this.#repeated.has(id))) return true;
    }
    return false;
  }

  #groupOf({ group }: Step): Step | undefined {
    return group === undefined ? undefined : this.#steps.get(group);
  }
}

/** The syncs before it have run by now: its files are no longer those that it began with. */
function takenOverWarnings(known: KnownResult, now: Brought): string[] {
  if (known.kind !== "attach") return [];
  const { run } = known.takenOver;
  const other = broughtOther(known.brought, { now, run });
  if (other === undefined) return [];
  const warning = `its job of run ${run} is taken over, though it is stale: ${other}; ` +
    "where it still runs, it reads these from now on";
  return [warning];
}
