import assert from "node:assert/strict";
import fc from "fast-check";
import type { Event } from "../../../src/engine/event.ts";
import type { RunState } from "../../../src/engine/reduce.ts";
import {
  type Behaviour,
  fail,
  interrupted,
  runFake,
  succeed,
  untilStopped,
} from "../../support/fake_engine.ts";
import { graphs, type RandomGraph } from "../../support/graphs.ts";
import { pipeline } from "../../support/pipelines.ts";

/** Each leaf takes a while of its own, then ends as the graph says. */
function behaviourOf(graph: RandomGraph, durations: readonly number[]): Behaviour {
  const order = graph.steps.map(({ id }) => id);
  return async (request, host) => {
    const ms = durations[order.indexOf(request.step) % durations.length] ?? 0;
    await host.clock.sleep(ms, { signal: host.signal });
    switch (graph.results[request.step]) {
      case "failed":
        return fail()(request, host);
      case "timed-out":
        return untilStopped()(request, host);
      default:
        return succeed()(request, host);
    }
  };
}

/** The graph with a limit on every step, so that those which hang time out. */
function limited(graph: RandomGraph) {
  const timeout = {
    totalMs: undefined,
    attemptMs: 5000,
    idleMs: undefined,
    killGraceMs: 1000,
  };
  return pipeline(graph.steps.map((step) => ({ ...step, timeout })));
}

function checkRun(graph: RandomGraph, events: readonly Event[], state: RunState): void {
  assert.equal(events[0]?.type, "run.started");
  assert.equal(events.at(-1)?.type, "run.finished");
  assert.notEqual(state.result, "running");
  const running = new Set<string>();
  const ended = new Set<string>();
  const groups = new Set(
    graph.steps.filter(({ action }) => action.kind === "group").map(({ id }) => id),
  );
  for (const event of events) {
    if (event.type === "step.started") {
      assert.ok(!ended.has(event.step) && !running.has(event.step), `${event.step} starts twice`);
      running.add(event.step);
      const leaves = [...running].filter((id) => !groups.has(id));
      assert.ok(leaves.length <= graph.maxParallel, "more than maxParallel run");
      const step = graph.steps.find(({ id }) => id === event.step);
      for (const before of [...step?.needs ?? [], ...step?.after ?? []]) {
        assert.ok(ended.has(before), `${event.step} starts before ${before} has ended`);
      }
    }
    if (event.type === "step.finished") {
      assert.ok(!ended.has(event.step), `${event.step} ends twice`);
      running.delete(event.step);
      ended.add(event.step);
      const ran = event.state !== "skipped" && event.state !== "cancelled";
      assert.ok(ran || event.reason, `${event.step} gives no reason`);
    }
  }
  assert.deepEqual([...ended].sort(), graph.steps.map(({ id }) => id).sort());
  assert.equal(state.exitCode === 0, state.result === "succeeded");
}

Deno.test("runPipeline() takes any graph to its end, every step with a state and a reason", async () => {
  await fc.assert(
    fc.asyncProperty(
      graphs,
      fc.array(fc.nat(2000), { minLength: 1, maxLength: 20 }),
      async (graph, durations) => {
        const { events, state } = await runFake(limited(graph), {
          maxParallel: graph.maxParallel,
          failFast: graph.failFast,
          otherwise: behaviourOf(graph, durations),
        });
        checkRun(graph, events, state);
      },
    ),
    { numRuns: 150 },
  );
});

Deno.test("runPipeline() takes any graph to its end when it is cancelled at any moment", async () => {
  await fc.assert(
    fc.asyncProperty(
      graphs,
      fc.array(fc.nat(2000), { minLength: 1, maxLength: 20 }),
      fc.nat(30),
      async (graph, durations, moment) => {
        const stop = new AbortController();
        const behave = behaviourOf(graph, durations);
        let begun = 0;
        const { events, state } = await runFake(limited(graph), {
          signal: stop.signal,
          maxParallel: graph.maxParallel,
          failFast: graph.failFast,
          otherwise: (request, host) => {
            if (++begun === moment) stop.abort(interrupted());
            return behave(request, host);
          },
        });
        checkRun(graph, events, state);
      },
    ),
    { numRuns: 150 },
  );
});
