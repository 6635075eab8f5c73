/** Everything a run knows about itself while it runs; the one door through which events leave. */
import type { Pipeline, Step } from "../../pipeline/pipeline.ts";
import type { Event, Failure, StepFinished, StepResult } from "../event.ts";
import { Folders } from "./folders.ts";
import { maskEvent } from "./masking.ts";
import { Outbox } from "./outbox.ts";
import type { EnginePorts } from "../ports.ts";
import { Scopes, type ScopesOptions } from "./scopes.ts";
import { isFailure, LEFT_OUT } from "../schedule/verdict.ts";

export interface LedgerOptions extends ScopesOptions {
  readonly ports: EnginePorts;
  /** Receives each event once it is durable. */
  readonly publish: (event: Event) => void;
}

/** How a step ended, before masking. */
export interface StepEnding extends Omit<StepFinished, "type" | "at" | "step"> {
  readonly node?: string | undefined;
}

export class Ledger {
  readonly scopes: Scopes;
  readonly folders: Folders;
  /** Results of the steps that belong to no group. */
  readonly results = new Map<string, StepResult>();
  firstFailure: { readonly step: string; readonly failure: Failure | undefined } | undefined;
  readonly #options: LedgerOptions;
  readonly #outbox: Outbox;
  /** When this run began, on the monotonic clock. */
  readonly began: number;
  /** When each step that runs began, on the monotonic clock. */
  readonly #begun = new Map<string, number>();
  readonly #steps: ReadonlyMap<string, Step>;

  constructor(pipeline: Pipeline, options: LedgerOptions) {
    this.#options = options;
    this.began = options.ports.clock.monotonic();
    this.#outbox = new Outbox({ ...options, journal: options.ports.journal });
    const steps = [...pipeline.steps, ...Object.values(pipeline.hooks).flat()];
    this.#steps = new Map(steps.map((step) => [step.id, step]));
    this.scopes = new Scopes(pipeline, { ...options, files: options.ports.files });
    this.folders = new Folders(steps);
  }

  get now(): number {
    return this.#options.ports.clock.now();
  }

  /** Milliseconds since the run began. */
  get elapsedMs(): number {
    return Math.round(this.#monotonic - this.began);
  }

  /** Fires when the journal takes no more events; its reason is what the journal threw. */
  get broken(): AbortSignal {
    return this.#outbox.broken;
  }

  /** The value with every secret replaced. */
  mask<T>(value: T): T {
    return this.#options.ports.mask(value);
  }

  /**
   * Masks the event, journals it by the end of this turn of the event loop, then publishes it.
   *
   * @throws what the journal throws
   */
  emit(event: Event): void {
    this.#outbox.put(maskEvent(event, this.#options.ports.mask));
    if (event.type === "sync.finished" || event.type === "data.finished") this.folders.add(event);
    if (event.type === "step.started") this.#begun.set(event.step, this.#monotonic);
    // Whatever happens next, a later Grid must find the job.
    if (event.type === "job.started") this.flush();
  }

  /** Nothing emitted so far can be lost any more. @throws what the journal throws */
  flush(): void {
    this.#outbox.flush();
  }

  /** Journals the end of a step and lets later steps see it. */
  finish(step: Step, { node, ...ending }: StepEnding): void {
    const begun = this.#begun.get(step.id);
    this.#begun.delete(step.id);
    const measured = begun === undefined ? {} : { durationMs: Math.round(this.#monotonic - begun) };
    const { state, outputs, filed, reason } = ending;
    const masked = ending.masked ?? this.#holdingSecrets(outputs);
    this.emit({
      type: "step.finished",
      at: this.now,
      step: step.id,
      ...ending,
      ...measured,
      ...(masked.length > 0 && { masked }),
    });
    this.#tellMasked(step, masked, {
      isReused: ending.reusedFrom !== undefined,
      isKept: ending.masked === undefined,
    });
    this.scopes.add(step, {
      state,
      outputs,
      ...(filed && { filed }),
      node,
      skippedSteps: reason === LEFT_OUT,
      ...(ending.masked !== undefined && { unkept: ending.masked }),
    });
    this.folders.end(step);
    if (step.group === undefined) this.results.set(step.id, ending.state);
    if (isFailure(ending.state) && !this.#isAllowed(step)) {
      this.firstFailure ??= { step: step.id, failure: ending.failure };
    }
  }

  /** A step that had succeeded did not after all. */
  revoke(
    step: Step,
    { state, failure }: { readonly state: StepResult; readonly failure: Failure },
  ) {
    const record = this.scopes.record(step.id);
    if (record) this.scopes.add(step, { ...record, state });
    if (step.group === undefined) this.results.set(step.id, state);
    if (isFailure(state) && !this.#isAllowed(step)) {
      this.firstFailure ??= { step: step.id, failure };
    }
  }

  get #monotonic(): number {
    return this.#options.ports.clock.monotonic();
  }

  #holdingSecrets(outputs: StepFinished["outputs"]): readonly string[] {
    return Object.entries(outputs)
      .filter(([, value]) => JSON.stringify(this.mask(value)) !== JSON.stringify(value))
      .map(([name]) => name);
  }

  #tellMasked(
    step: Step,
    masked: readonly string[],
    { isReused, isKept }: { readonly isReused: boolean; readonly isKept: boolean },
  ): void {
    if (masked.length === 0 || step.action.kind === "group") return;
    const names = masked.map((name) => `"${name}"`).join(", ");
    const message = isReused
      ? `reused without its output ${names}: it held a secret, which no journal keeps`
      : !isKept
      ? `its output ${names} holds a secret, and is masked in its file: later steps do not get it`
      : `its output ${names} holds a secret: steps of this run get it, reports and a resume do not`;
    this.emit({ type: "warned", at: this.now, step: step.id, message });
  }

  /** Some group around the step allows its failure. */
  #isAllowed(step: Step): boolean {
    for (let up = step.group; up !== undefined; up = this.#steps.get(up)?.group) {
      if (this.#steps.get(up)?.allowFailure) return true;
    }
    return false;
  }
}
