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
  readonly #steps: ReadonlyMap<string, Step>;

  constructor(pipeline: Pipeline, options: LedgerOptions) {
    this.#options = options;
    this.#outbox = new Outbox({ ...options, journal: options.ports.journal });
    const steps = [...pipeline.steps, ...Object.values(pipeline.hooks).flat()];
    this.#steps = new Map(steps.map((step) => [step.id, step]));
    this.scopes = new Scopes(pipeline, options);
    this.folders = new Folders(steps);
  }

  get now(): number {
    return this.#options.ports.clock.now();
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
    if (event.type === "sync.finished") this.folders.add(event);
    // Whatever happens next, a later Grid must find the job.
    if (event.type === "job.started") this.flush();
  }

  /** Nothing emitted so far can be lost any more. @throws what the journal throws */
  flush(): void {
    this.#outbox.flush();
  }

  /** Journals the end of a step and lets later steps see it. */
  finish(step: Step, { node, ...ending }: StepEnding): void {
    this.emit({ type: "step.finished", at: this.now, step: step.id, ...ending });
    const { state, outputs, reason } = ending;
    this.scopes.add(step, { state, outputs, node, leftOut: reason === LEFT_OUT });
    this.folders.end(step);
    if (step.group === undefined) this.results.set(step.id, ending.state);
    if (isFailure(ending.state) && !this.#isAllowed(step)) {
      this.firstFailure ??= { step: step.id, failure: ending.failure };
    }
  }

  /** Some group around the step allows its failure. */
  #isAllowed(step: Step): boolean {
    for (let up = step.group; up !== undefined; up = this.#steps.get(up)?.group) {
      if (this.#steps.get(up)?.allowFailure) return true;
    }
    return false;
  }
}
