/** Takes one graph of steps to its end: asks the scheduler, starts attempts, closes groups. */
import { GridError } from "../core/errors.ts";
import { evaluateCondition } from "../pipeline/evaluate.ts";
import type { Step } from "../pipeline/pipeline.ts";
import type { AttemptEnd } from "./attempt.ts";
import { runAttempts } from "./attempts.ts";
import type { RunResult, StepResult } from "./event.ts";
import { failureOf, stopError } from "./failure.ts";
import { groupOutputs } from "./group.ts";
import type { Ledger, StepEnding } from "./ledger.ts";
import type { EnginePorts } from "./ports.ts";
import { type RequestContext, requestOf } from "./request.ts";
import { type Decision, type HaltOrder, Scheduler, type SchedulerOptions } from "./scheduler.ts";
import { type ConditionStatus, judge, type Standing, type Verdict } from "./verdict.ts";

export interface GraphRunOptions {
  readonly ports: EnginePorts;
  readonly ledger: Ledger;
  readonly limits: SchedulerOptions;
  /** The wish to stop. Fired already: this graph is the cleaning up. */
  readonly stop: AbortSignal;
  /** Fires when the time for cleaning up after `stop` is over. */
  readonly cleanup: AbortSignal;
  /** Steps that were asked for; undefined means all. */
  readonly chosen: ReadonlySet<string> | undefined;
  /** Set for hooks: how the run stands. */
  readonly after: RunResult | undefined;
  readonly request: RequestContext;
}

export class GraphRun {
  readonly #options: GraphRunOptions;
  readonly #scheduler: Scheduler;
  readonly #running = new Map<string, AbortController>();
  readonly #end = Promise.withResolvers<void>();
  #fatal: { readonly error: unknown } | undefined;

  constructor(steps: readonly Step[], options: GraphRunOptions) {
    this.#options = options;
    this.#scheduler = new Scheduler(steps, options.limits);
  }

  /** Resolves when every step has ended and nothing runs. @throws what the journal throws */
  async finished(): Promise<void> {
    const { stop, cleanup } = this.#options;
    const over = new AbortController();
    const listen = { once: true, signal: over.signal };
    const isCleanup = this.#options.after !== undefined && stop.aborted;
    if (stop.aborted && !isCleanup) this.#stop();
    stop.addEventListener("abort", () => this.#stop(), listen);
    cleanup.addEventListener("abort", () => this.#abortAll(cleanup.reason), listen);
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
    else this.#end.reject(stuck(this.#scheduler.waiting()));
  }

  /** The journal fails, or we do: end what runs, then say so. */
  #break(error: unknown): void {
    this.#fatal ??= { error };
    this.#abortAll(new GridError({ code: "interrupted", message: "the run broke down" }));
  }

  #act(decision: Decision): void {
    const { step } = decision;
    switch (decision.kind) {
      case "judge":
        return this.#judge(step, decision.standing);
      case "open":
        return this.#options.ledger.emit({ type: "step.started", at: this.#now, step: step.id });
      case "start":
        return this.#start(step);
      case "close":
        return this.#close(step, decision.result);
    }
  }

  #judge(step: Step, standing: Standing): void {
    const { chosen } = this.#options;
    if (chosen && !chosen.has(step.id)) {
      return this.#refuse(step, {
        run: false,
        state: "skipped",
        reason: "it was not asked for",
        passesOn: false,
      });
    }
    let verdict: Verdict;
    try {
      verdict = judge(
        step.condition,
        standing,
        (condition, status) =>
          evaluateCondition(
            condition,
            this.#options.ledger.scopes.of(step, { status: this.#status(status) }),
          ),
      );
    } catch (thrown) {
      const failure = failureOf(thrown, { started: false });
      this.#finish(step, { state: resultOf(step, "failed"), outputs: {}, failure });
      return;
    }
    if (verdict.run) this.#scheduler.admit(step.id);
    else this.#refuse(step, verdict);
  }

  /** In a hook, `failure()` asks about the run. */
  #status(status: ConditionStatus): ConditionStatus {
    const { after } = this.#options;
    if (after === undefined) return status;
    const failure = after === "failed" || after === "timed-out";
    return { success: after === "succeeded", failure, cancelled: after === "cancelled" };
  }

  /** The step never runs; neither do the members of a group. */
  #refuse(step: Step, verdict: Extract<Verdict, { run: false }>): void {
    const { state, reason, passesOn } = verdict;
    for (const member of this.#scheduler.membersOf(step.id)) {
      this.#finish(member, { state, reason: `"${step.id}": ${reason}`, outputs: {} }, passesOn);
    }
    this.#finish(step, { state, reason, outputs: {} }, passesOn);
  }

  #start(step: Step): void {
    const { ledger, ports, cleanup } = this.#options;
    ledger.emit({ type: "step.started", at: this.#now, step: step.id });
    const controller = new AbortController();
    if (cleanup.aborted) controller.abort(cleanup.reason);
    this.#running.set(step.id, controller);
    runAttempts({
      step,
      ports,
      signal: controller.signal,
      emit: (event) => ledger.emit(event),
      request: (parts) => requestOf(step, { ...this.#options.request, ...parts, ledger }),
    }).then(
      (end) => this.#ended(step, end),
      (error) => this.#crashed(step, error),
    );
  }

  #ended(step: Step, end: AttemptEnd): void {
    this.#running.delete(step.id);
    const { broken } = this.#options.ledger;
    if (broken) return this.#crashed(step, broken.error);
    try {
      this.#finish(step, {
        state: resultOf(step, end.result),
        ...(end.result === "cancelled" && end.failure ? { reason: end.failure.message } : {}),
        outputs: end.outputs,
        ...(end.failure === undefined ? {} : { failure: end.failure }),
        node: end.node,
      });
    } catch (error) {
      this.#break(error);
    }
    this.#pump();
  }

  #crashed(step: Step, error: unknown): void {
    this.#running.delete(step.id);
    this.#break(error);
    this.#pump();
  }

  #close(step: Step, result: StepResult): void {
    const { ledger } = this.#options;
    this.#finish(step, groupOutputs(step, { result, scopes: ledger.scopes }));
  }

  #finish(step: Step, ending: StepEnding, passesOn = false): void {
    this.#options.ledger.finish(step, ending);
    const order = this.#scheduler.end(step.id, { result: ending.state, passesOn });
    if (order) this.#halt(order);
  }

  #halt({ halt, group }: HaltOrder): void {
    const error = new GridError({ code: "interrupted", message: `cancelled: ${halt.reason}` });
    for (const [id, controller] of this.#running) {
      if (group === undefined || this.#scheduler.isWithin(id, group)) controller.abort(error);
    }
  }

  get #now(): number {
    return this.#options.ledger.now;
  }
}

function resultOf(step: Step, result: AttemptEnd["result"]): StepResult {
  const failed = result === "failed" || result === "timed-out";
  return failed && step.allowFailure ? "allowed-failure" : result;
}

function stuck(waiting: readonly string[]): GridError {
  return new GridError({
    code: "bug",
    message: `Cannot go on: nothing runs and ${waiting.join(", ")} still wait`,
  });
}
