/** Takes one graph of steps to its end: asks the scheduler, starts attempts, closes groups. */
import { GridError } from "../../core/errors.ts";
import type { Step } from "../../pipeline/pipeline.ts";
import type { AttemptEnd } from "../attempt/attempt.ts";
import { retryLoop } from "../attempt/retry_loop.ts";
import { stopError } from "../failure.ts";
import {
  admissionOf,
  beginningOf,
  endingOf,
  groupEnding,
  resultOf,
  reusedEnding,
  StartCondition,
  type StartConditionOptions,
} from "./step_life.ts";
import { LookAhead } from "./look_ahead.ts";
import { Readings } from "./readings.ts";
import type { StepEnding } from "../ledger/ledger.ts";
import type { EnginePorts } from "../ports.ts";
import type { Staying } from "../staying.ts";
import { type RequestContext, requestOf } from "../attempt/request.ts";
import { type Decision, Scheduler, type SchedulerOptions } from "../schedule/scheduler.ts";
import type { HaltOrder } from "../schedule/standing.ts";
import { KnownResults, type Prepared } from "../resume/known_results.ts";
import { type MemberEnd, NOT_CHOSEN, type Refusal, type Standing } from "../schedule/verdict.ts";

export interface GraphRunOptions extends StartConditionOptions {
  readonly ports: EnginePorts;
  readonly limits: SchedulerOptions;
  /** The wish to stop. Fired already: this graph is the cleaning up. */
  readonly stop: AbortSignal;
  /** Fires when the time for cleaning up after `stop` is over. */
  readonly cleanup: AbortSignal;
  readonly request: RequestContext;
  readonly hashFiles: (patterns: readonly string[]) => string;
  readonly hashInputs?: ((patterns: readonly string[]) => string) | undefined;
  /** Grows by a promise for each command that stays: that it is over, and has been journaled. */
  readonly staying: Promise<void>[];
}

export class GraphRun {
  readonly #options: GraphRunOptions;
  readonly #scheduler: Scheduler;
  readonly #knownResults: KnownResults;
  readonly #condition: StartCondition;
  readonly #readings: Readings;
  readonly #lookAhead: LookAhead;
  readonly #prepared = new Map<string, Prepared>();
  readonly #running = new Map<string, AbortController>();
  /** The last attempt of each step. */
  readonly #attempts = new Map<string, number>();
  readonly #end = Promise.withResolvers<void>();
  #fatal: { readonly error: unknown } | undefined;

  constructor(steps: readonly Step[], options: GraphRunOptions) {
    this.#options = options;
    this.#scheduler = new Scheduler(steps, options.limits);
    this.#condition = new StartCondition(this.#scheduler, options);
    this.#readings = new Readings(options.ports.readFirst);
    this.#lookAhead = new LookAhead(steps, options);
    this.#knownResults = new KnownResults(steps, {
      run: options.request.run,
      pipeline: options.request.pipeline,
      ledger: options.ledger,
      hashFiles: options.hashFiles,
      hashInputs: options.hashInputs,
      results: options.ports.results,
      files: options.ports.files,
      nodeSays: options.ports.nodeSays,
      resume: options.resume,
    });
  }

  /** Resolves when every step has ended and nothing runs. @throws what the journal throws */
  async finished(): Promise<void> {
    const { stop, cleanup, ledger } = this.#options;
    const over = new AbortController();
    const listen = { once: true, signal: over.signal };
    const isCleanup = this.#options.after !== undefined && stop.aborted;
    if (stop.aborted && !isCleanup) this.#stop();
    stop.addEventListener("abort", () => this.#stop(), listen);
    cleanup.addEventListener("abort", () => this.#abortAll(cleanup.reason), listen);
    ledger.broken.addEventListener("abort", () => this.#breakDown(ledger.broken.reason), listen);
    try {
      this.#pump();
      await this.#end.promise;
    } finally {
      over.abort();
    }
  }

  #stop(): void {
    const error = stopError(this.#options.stop.reason);
    this.#scheduler.halt({ kind: "interrupted", reason: error.message });
    this.#abortAll(error);
    this.#pump();
  }

  #abortAll(reason: unknown): void {
    for (const controller of this.#running.values()) controller.abort(reason);
  }

  /** Does all that can be done now. */
  #pump(): void {
    try {
      while (!this.#fatal) {
        const decision = this.#scheduler.next();
        if (!decision) break;
        this.#act(decision);
      }
    } catch (error) {
      this.#break(error);
    }
    if (this.#running.size > 0) return;
    if (this.#fatal) this.#end.reject(this.#fatal.error);
    else if (this.#scheduler.done) this.#end.resolve();
    else this.#end.reject(this.#scheduler.stuck());
  }

  /** The journal fails, or we do: end what runs, then say so. */
  #break(error: unknown): void {
    this.#fatal ??= { error };
    this.#abortAll(new GridError({ code: "interrupted", message: "the run broke down" }));
  }

  #act(decision: Decision): void {
    const { step } = decision;
    const { now: at, elapsedMs: afterMs } = this.#options.ledger;
    switch (decision.kind) {
      case "judge":
        return this.#judge(step, decision.standing);
      case "open":
        return this.#options.ledger.emit({ type: "step.started", at, step: step.id, afterMs });
      case "start":
        return this.#start(step);
      case "close":
        return this.#close(step, decision.end);
    }
  }

  #judge(step: Step, standing: Standing): void {
    const parts = { standing, condition: this.#condition, results: this.#knownResults };
    const judged = this.#readings.attempt(step.id, () => admissionOf(step, parts));
    if ("read" in judged) return this.#readFirst(step, judged.read);
    if ("failure" in judged.value) {
      const { failure } = judged.value;
      this.#finishMembers(step, { state: "skipped", reason: "it failed", passesOn: true });
      return this.#finish(step, { state: resultOf(step, "failed"), outputs: {}, failure });
    }
    const { verdict, prepared } = judged.value;
    if (!verdict.run) return this.#refuse(step, verdict);
    for (const message of prepared?.warnings ?? []) this.#warn(step, message);
    const reused = prepared && reusedEnding(prepared);
    if (reused) return this.#finish(step, reused);
    if (!this.#condition.isChosen(step)) return this.#refuse(step, NOT_CHOSEN);
    if (prepared) this.#prepared.set(step.id, prepared);
    this.#scheduler.admit(step.id);
  }

  /** It is judged anew when that is done, whatever became of the run meanwhile. */
  #readFirst(step: Step, read: (signal: AbortSignal) => Promise<void>): void {
    const signal = this.#begin(step);
    read(signal).catch((error) => {
      if (!signal.aborted) throw error;
    }).then(() => {
      this.#running.delete(step.id);
      this.#scheduler.judgeAgain(step.id);
      this.#pump();
    }).catch((error) => this.#crashed(step, error));
  }

  /** The step never runs; neither do the members of a group. */
  #refuse(step: Step, verdict: Refusal): void {
    this.#finishMembers(step, verdict);
    const { state, reason, passesOn } = verdict;
    this.#finish(step, { state, reason, outputs: {} }, passesOn);
  }

  #finishMembers(step: Step, end: Pick<Refusal, "state" | "reason" | "passesOn">): void {
    for (const member of this.#scheduler.membersOf(step.id)) {
      const reason = `"${step.id}": ${end.reason}`;
      this.#finish(member, { state: end.state, reason, outputs: {} }, end.passesOn);
    }
  }

  /** Fires when the step has to end. */
  #begin({ id }: Step): AbortSignal {
    const { cleanup } = this.#options;
    const controller = new AbortController();
    if (cleanup.aborted) controller.abort(cleanup.reason);
    this.#running.set(id, controller);
    return controller.signal;
  }

  #start(step: Step): void {
    const { ledger, ports } = this.#options;
    const prepared = this.#prepared.get(step.id);
    const known = prepared?.known;
    ledger.emit(beginningOf(step, { prepared, at: ledger.now, afterMs: ledger.elapsedMs }));
    if (known?.kind === "none" && known.leaves) {
      const { node, job } = known.leaves;
      this.#warn(step, `its earlier job ${job} may still run on ${node}; end it: grid kill ${job}`);
    }
    this.#knownResults.started(step);
    retryLoop({
      step,
      ports,
      signal: this.#begin(step),
      runBegan: ledger.began,
      emit: (event) => {
        if (event.type === "attempt.started") this.#attempts.set(step.id, event.attempt);
        ledger.emit(event);
      },
      request: (parts) =>
        requestOf(step, {
          ...this.#options.request,
          ...parts,
          ledger,
          ...(known?.kind === "verify" && { earlier: known.cached }),
        }),
      ...(known?.kind === "attach" ? { resume: known } : {}),
    }).then(
      (end) => this.#ended(step, end),
      (error) => this.#crashed(step, error),
    );
    this.#lookAhead.began(step);
  }

  #warn(step: Step, message: string): void {
    const { ledger } = this.#options;
    ledger.emit({ type: "warned", at: ledger.now, step: step.id, message });
  }

  #ended(step: Step, end: AttemptEnd): void {
    this.#running.delete(step.id);
    const { broken } = this.#options.ledger;
    if (broken.aborted) return this.#crashed(step, broken.reason);
    try {
      this.#keep(step, end);
      this.#finish(step, endingOf(step, end));
      if (end.stays) this.#options.staying.push(this.#attend(step, end.stays));
    } catch (error) {
      this.#break(error);
    }
    this.#pump();
  }

  async #attend(step: Step, { over }: Staying): Promise<void> {
    const failure = await over;
    if (failure === undefined || this.#options.ledger.broken.aborted) return;
    const { ledger } = this.#options;
    const state = resultOf(step, "failed");
    const attempt = this.#attempts.get(step.id) ?? 1;
    ledger.emit({ type: "service.ended", at: ledger.now, step: step.id, attempt, state, failure });
    const { steps, order } = this.#scheduler.revoke(step.id, state);
    for (const gone of steps) ledger.revoke(gone, { state, failure });
    if (order) this.#halt(order);
    if (!this.#scheduler.done) this.#pump();
  }

  #keep(step: Step, end: AttemptEnd): void {
    const { result, outputs, filed, masked, node, unfit, made } = end;
    const cache = this.#prepared.get(step.id)?.cache;
    this.#prepared.delete(step.id);
    if (masked || result !== "succeeded" || cache === undefined || end.reused) return;
    if (unfit !== undefined) return this.#warn(step, `its result is not cached: ${unfit}`);
    this.#knownResults.keep(step, { cache, outputs, filed, node, made });
  }

  #crashed(step: Step, error: unknown): void {
    this.#running.delete(step.id);
    this.#breakDown(error);
  }

  #breakDown(error: unknown): void {
    this.#break(error);
    this.#pump();
  }

  #close(step: Step, { result, passesOn }: MemberEnd): void {
    const { scopes } = this.#options.ledger;
    this.#finish(step, groupEnding(step, { result, scopes }), passesOn);
  }

  #finish(step: Step, ending: StepEnding, passesOn = false): void {
    this.#options.ledger.finish(step, ending);
    const order = this.#scheduler.end(step.id, { result: ending.state, passesOn });
    if (order) this.#halt(order);
  }

  #halt({ halt, group }: HaltOrder): void {
    const error = new GridError({ code: "interrupted", message: halt.reason });
    for (const [id, controller] of this.#running) {
      if (group === undefined || this.#scheduler.isWithin(id, group)) controller.abort(error);
    }
  }
}
