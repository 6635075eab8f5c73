import assert from "node:assert/strict";
import fc from "fast-check";
import type { StepResult } from "../../../../src/engine/event.ts";
import { type Decision, Scheduler } from "../../../../src/engine/schedule/scheduler.ts";
import { judge } from "../../../../src/engine/schedule/verdict.ts";
import type { Step } from "../../../../src/pipeline/pipeline.ts";
import { graphs, type RandomGraph } from "../../../support/graphs.ts";
import { group, step } from "../../../support/pipelines.ts";

/** Drives a scheduler by hand and checks its promises at every move. */
class Driver {
  readonly scheduler: Scheduler;
  readonly ended = new Map<string, StepResult>();
  readonly started: string[] = [];
  readonly running = new Set<string>();
  readonly open = new Set<string>();
  readonly inside = new Map<string, number>();
  readonly #byId: ReadonlyMap<string, Step>;

  constructor(readonly graph: RandomGraph) {
    this.scheduler = new Scheduler(graph.steps, graph);
    this.#byId = new Map(graph.steps.map((step) => [step.id, step]));
  }

  /** Does all that can be done without ending a running step. */
  pump(): void {
    for (let decision = this.scheduler.next(); decision; decision = this.scheduler.next()) {
      this.#act(decision);
    }
  }

  end(id: string, result: StepResult, passesOn = false): void {
    const step = this.#step(id);
    this.running.delete(id);
    this.open.delete(id);
    this.ended.set(id, result);
    if (step.group !== undefined && this.started.includes(id)) {
      this.inside.set(step.group, (this.inside.get(step.group) ?? 0) - 1);
    }
    this.scheduler.end(id, { result, passesOn });
  }

  #act(decision: Decision): void {
    const { step } = decision;
    this.#checkOrder(step);
    switch (decision.kind) {
      case "judge": {
        const verdict = judge(step.condition, decision.standing, (condition, status) => {
          const source = condition.parts.map((part) => "source" in part ? part.source : "").join(
            "",
          );
          const { success, failure } = status;
          return { "always()": true, "failure()": failure, "success()": success }[source.trim()] ??
            false;
        });
        if (verdict.run) return this.scheduler.admit(step.id);
        for (const member of this.scheduler.membersOf(step.id)) {
          this.end(member.id, verdict.state, verdict.passesOn);
        }
        return this.end(step.id, verdict.state, verdict.passesOn);
      }
      case "open":
        this.#enter(step);
        this.open.add(step.id);
        return;
      case "start":
        this.#enter(step);
        this.running.add(step.id);
        assert.ok(this.running.size <= this.graph.maxParallel, "more than maxParallel run");
        return;
      case "close":
        for (const member of this.scheduler.membersOf(step.id)) {
          assert.ok(this.ended.has(member.id), `${step.id} closes before ${member.id}`);
        }
        return this.end(step.id, decision.end.result, decision.end.passesOn);
    }
  }

  #enter(step: Step): void {
    this.started.push(step.id);
    if (step.group === undefined) return;
    const inside = (this.inside.get(step.group) ?? 0) + 1;
    this.inside.set(step.group, inside);
    const { action } = this.#step(step.group);
    const limit = action.kind === "group" ? action.maxParallel : undefined;
    assert.ok(inside <= (limit ?? Infinity), `more than max-parallel run in ${step.group}`);
    assert.ok(this.open.has(step.group), `${step.id} starts before its group`);
  }

  #checkOrder(step: Step): void {
    for (const before of [...step.needs, ...step.after]) {
      assert.ok(this.ended.has(before), `${step.id} comes before ${before} has ended`);
    }
    assert.ok(!this.ended.has(step.id), `${step.id} comes again after its end`);
  }

  #step(id: string): Step {
    const step = this.#byId.get(id);
    assert.ok(step);
    return step;
  }
}

Deno.test("Scheduler ends every step of any graph, in order and within every limit", () => {
  fc.assert(
    fc.property(graphs, fc.infiniteStream(fc.nat(1000)), (graph, picks) => {
      const driver = new Driver(graph);
      driver.pump();
      while (driver.running.size > 0) {
        const running = [...driver.running];
        const id = running[(picks.next().value ?? 0) % running.length] ?? "";
        driver.end(id, resultOf(graph, id));
        driver.pump();
      }
      assert.ok(driver.scheduler.done, `${driver.scheduler.stuck()}`);
      assert.equal(driver.ended.size, graph.steps.length);
    }),
    { numRuns: 500 },
  );
});

Deno.test("Scheduler ends every step of any graph that is halted at any moment", () => {
  fc.assert(
    fc.property(graphs, fc.nat(20), fc.infiniteStream(fc.nat(1000)), (graph, moment, picks) => {
      const driver = new Driver(graph);
      driver.pump();
      for (let move = 0; driver.running.size > 0; move++) {
        const running = [...driver.running];
        if (move === moment) {
          driver.scheduler.halt({ kind: "interrupted", reason: "stop" });
          for (const id of running) driver.end(id, "cancelled");
        } else {
          const id = running[(picks.next().value ?? 0) % running.length] ?? "";
          driver.end(id, resultOf(graph, id));
        }
        driver.pump();
      }
      assert.ok(driver.scheduler.done, `${driver.scheduler.stuck()}`);
    }),
    { numRuns: 500 },
  );
});

Deno.test("Scheduler starts no step whose need did not succeed, unless its condition asks for it", () => {
  fc.assert(
    fc.property(graphs, (graph) => {
      const driver = new Driver(graph);
      driver.pump();
      while (driver.running.size > 0) {
        const [id = ""] = driver.running;
        driver.end(id, resultOf(graph, id));
        driver.pump();
      }
      for (const { id, needs, condition } of graph.steps) {
        if (condition !== undefined || !driver.started.includes(id)) continue;
        for (const need of needs) {
          assert.match(driver.ended.get(need) ?? "", /succeeded|allowed-failure|skipped/);
        }
      }
    }),
    { numRuns: 300 },
  );
});

Deno.test("Scheduler starts steps that may run at the same time in the order of the file", () => {
  const steps = ["c", "a", "b"].map((id) => step(id));
  const driver = new Driver({ steps, results: {}, maxParallel: 2, failFast: false });
  driver.pump();
  assert.deepEqual(driver.started, ["c", "a"]);
  driver.end("c", "succeeded");
  driver.pump();
  assert.deepEqual(driver.started, ["c", "a", "b"]);
});

Deno.test("Scheduler orders a matrix with fail-fast to end its other cells only", () => {
  const cells = ["m[x=1]", "m[x=2]", "m[x=3]"].map((id) => step(id));
  const steps = [...group("m", cells, { failFast: true, maxParallel: 2 }), step("other")];
  const scheduler = new Scheduler(steps, { maxParallel: 10, failFast: false });
  for (let move = scheduler.next(); move; move = scheduler.next()) {
    if (move.kind === "judge") scheduler.admit(move.step.id);
  }
  const order = scheduler.end("m[x=1]", { result: "failed" });
  assert.equal(order?.group, "m");
  assert.ok(scheduler.isWithin("m[x=2]", "m") && !scheduler.isWithin("other", "m"));
  const next = scheduler.next();
  assert.equal(next?.step.id, "m[x=3]");
  assert.equal(next?.kind === "judge" && next.standing.halted?.kind, "fail-fast");
});

Deno.test("Scheduler refuses ends that cannot be", () => {
  const scheduler = new Scheduler([step("a")], { maxParallel: 1, failFast: false });
  assert.throws(() => scheduler.end("ghost", { result: "failed" }), { code: "bug" });
  scheduler.end("a", { result: "skipped" });
  assert.throws(() => scheduler.end("a", { result: "failed" }), { code: "bug" });
});

Deno.test("Scheduler says which need no step has", () => {
  const steps = [step("a", { needs: ["ghost"] })];
  assert.throws(() => new Scheduler(steps, { maxParallel: 1, failFast: false }), /ghost/);
});

function resultOf({ steps, results }: RandomGraph, id: string): StepResult {
  const result = results[id] ?? "succeeded";
  const allowed = steps.find((step) => step.id === id)?.allowFailure;
  return allowed && result !== "succeeded" ? "allowed-failure" : result;
}
