import assert from "node:assert/strict";
import {
  fail,
  interrupted,
  inTurn,
  runFake,
  states,
  succeed,
  takes,
  trace,
  untilStopped,
} from "../../support/fake_engine.ts";
import { group, pipeline, step } from "../../support/pipelines.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { runPipeline } from "../../../src/engine/run.ts";
import type { Event } from "../../../src/engine/event.ts";

Deno.test("runPipeline() tells a run from its first event to its last", async () => {
  const { events, state } = await runFake(pipeline([step("a"), step("b", { needs: ["a"] })]));
  assert.deepEqual(trace(events), [
    "run.started",
    "step.started a",
    "attempt.started a",
    "attempt.finished a",
    "step.finished a",
    "step.started b",
    "attempt.started b",
    "attempt.finished b",
    "step.finished b",
    "run.finished",
  ]);
  assert.equal(state.result, "succeeded");
  assert.equal(state.exitCode, 0);
  assert.equal(state.firstFailure, undefined);
});

Deno.test("runPipeline() starts independent steps at once", async () => {
  const { clock } = await runFake(pipeline([step("a"), step("b"), step("c")]), {
    otherwise: takes(60_000),
    clock: new FakeClock(0),
  });
  assert.ok(clock.now() < 120_000, `three minutes in a row: ${clock.now()}`);
});

Deno.test("runPipeline() journals every event before it is yielded", async () => {
  const journaled: Event[] = [];
  const { events } = await runFake(pipeline([step("a")]), {
    ports: { journal: { append: (_, events) => void journaled.push(...events) } },
    readEvent: (event) => assert.ok(journaled.includes(event), `${event.type} is not durable`),
  });
  assert.deepEqual(events, journaled);
});

Deno.test("runPipeline() has a job's name journaled when the note about it returns", async () => {
  const journaled: string[] = [];
  await runFake(pipeline([step("a")]), {
    ports: { journal: { append: (_, events) => void journaled.push(...trace(events)) } },
    steps: {
      a: (_, host) => {
        host.note({ type: "job.started", node: "n1", job: "j1" });
        assert.deepEqual(journaled.slice(1), [
          "step.started a",
          "attempt.started a",
          "job.started a",
        ]);
        return { status: "succeeded", outputs: {} };
      },
    },
  });
});

Deno.test("what is left running is told after the last hook, before the end of the run", async () => {
  const hooks = { success: [], failure: [], exit: [step("bye")] };
  const clearUp = () => Promise.resolve([{ step: "a", message: "left running: x; ended" }]);
  const { events, state } = await runFake(pipeline([step("a")], { hooks }), { ports: { clearUp } });
  assert.deepEqual(events.slice(-3).map(({ type }) => type), [
    "step.finished",
    "warned",
    "run.finished",
  ]);
  assert.deepEqual(state.warnings, ["a: left running: x; ended"]);
});

Deno.test("runPipeline() journals what happens at the same time in one piece", async () => {
  const pieces: number[] = [];
  const { events } = await runFake(pipeline([step("a"), step("b"), step("c")]), {
    ports: { journal: { append: (_, events) => void pieces.push(events.length) } },
  });
  assert.equal(events.length, 2 + 3 * 4);
  assert.ok(pieces.length < 5, `${pieces}`);
});

Deno.test("runPipeline() masks events before they are journaled or yielded", async () => {
  const mask = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll("hunter2", "***"));
  const journaled: Event[] = [];
  const { events } = await runFake(
    pipeline([
      step("a"),
      step("b", {
        needs: ["a"],
        env: { TOKEN: "${{ steps.a.outputs.token }}" },
      }),
    ]),
    {
      ports: { mask, journal: { append: (_, events) => void journaled.push(...events) } },
      steps: {
        a: succeed({ token: "hunter2" }),
        b: (request) => {
          assert.equal(request.env["TOKEN"], "hunter2", "later steps get the value itself");
          return { status: "succeeded", outputs: {} };
        },
      },
    },
  );
  assert.ok(!JSON.stringify([events, journaled]).includes("hunter2"));
  assert.match(JSON.stringify(events), /\*\*\*/);
});

Deno.test("runPipeline() ends the steps and throws when the journal fails", async () => {
  let stopped = false;
  const append = (_: string, events: readonly Event[]) => {
    if (events.some(({ type }) => type === "step.finished")) throw new Error("disk full");
  };
  await assert.rejects(
    runFake(pipeline([step("a"), step("b")]), {
      ports: { journal: { append } },
      steps: {
        b: async (request, host) => {
          try {
            return await untilStopped()(request, host);
          } finally {
            stopped = true;
          }
        },
      },
    }),
    /disk full/,
  );
  assert.ok(stopped, "the other step was left running");
});

Deno.test("runPipeline() throws when the journal fails at a note, and does not blame the step", async () => {
  const append = (_: string, events: readonly Event[]) => {
    if (events.some(({ type }) => type === "warned")) throw new Error("disk full");
  };
  await assert.rejects(
    runFake(pipeline([step("a", { retry: { max: 3, on: ["any"] } })]), {
      ports: { journal: { append } },
      steps: {
        a: (_, host) => {
          host.note({ type: "warned", message: "x" });
          return { status: "succeeded", outputs: {} };
        },
      },
    }),
    /disk full/,
  );
});

Deno.test("runPipeline() ends the run when its reader leaves early", async () => {
  let stopped = false;
  const clock = new FakeClock();
  const kind = {
    run: async (_: unknown, host: { signal: AbortSignal }) => {
      await new Promise((resolve) => host.signal.addEventListener("abort", resolve));
      stopped = true;
      throw host.signal.reason;
    },
  };
  const stream = runPipeline(pipeline([step("a")]), {
    kinds: { run: kind } as never,
    journal: { append: () => {} },
    output: { open: () => ({ write() {}, [Symbol.asyncDispose]: () => Promise.resolve() }) },
    clock,
    random: Math.random,
    mask: (value) => value,
  }, {
    run: "r",
    project: "/",
    signal: new AbortController().signal,
    secrets: {},
    env: {},
    gridVersion: "0",
  });
  for await (const event of stream) {
    if (event.type === "attempt.started") break;
  }
  assert.ok(stopped);
});

Deno.test("runPipeline() skips what needs a failed step, and names the first failure", async () => {
  const steps = [
    step("a"),
    step("b", { needs: ["a"] }),
    step("c", { needs: ["b"] }),
    step("d"),
  ];
  const { state } = await runFake(pipeline(steps), { steps: { a: fail() } });
  assert.deepEqual(states(state), { a: "failed", b: "skipped", c: "skipped", d: "succeeded" });
  assert.equal(state.steps.get("b")?.reason, 'it needs "a", which failed');
  assert.equal(state.steps.get("c")?.reason, 'it needs "b", which did not run because "a" failed');
  assert.equal(state.result, "failed");
  assert.equal(state.exitCode, 1);
  assert.equal(state.firstFailure, "a");
});

Deno.test("runPipeline() does not end siblings of a failed step", async () => {
  const { state } = await runFake(pipeline([step("a"), step("b")]), {
    steps: { a: fail(), b: takes(5000) },
  });
  assert.deepEqual(states(state), { a: "failed", b: "succeeded" });
});

Deno.test("runPipeline() with fail-fast ends siblings and starts nothing more", async () => {
  const steps = [
    step("a"),
    step("b"),
    step("c", { after: ["b"] }),
    step("d", {
      after: ["b"],
      if: "always()",
    }),
  ];
  const { state } = await runFake(pipeline(steps), {
    failFast: true,
    steps: { a: fail(), b: untilStopped() },
  });
  assert.deepEqual(states(state), {
    a: "failed",
    b: "cancelled",
    c: "cancelled",
    d: "succeeded",
  });
  assert.match(state.steps.get("b")?.reason ?? "", /"a" failed \(fail-fast\)/);
  assert.equal(state.result, "failed");
  assert.equal(state.exitCode, 1);
});

Deno.test("runPipeline() exits 3 when the first failure is the way to the node", async () => {
  for (const code of ["tcp", "auth", "host-key", "no-node", "workspace"] as const) {
    const { state } = await runFake(pipeline([step("a")]), {
      steps: { a: fail({ code, started: false }) },
    });
    assert.equal(state.exitCode, 3, code);
    assert.equal(state.result, "failed");
  }
});

Deno.test("runPipeline() exits 4 when a step timed out", async () => {
  const { state } = await runFake(pipeline([step("a", { timeout: { attemptMs: 1000 } })]), {
    steps: { a: untilStopped() },
  });
  assert.deepEqual([state.result, state.exitCode], ["timed-out", 4]);
});

Deno.test("runPipeline() exits 70 when a step's kind has a bug", async () => {
  const { state } = await runFake(pipeline([step("a")]), {
    steps: {
      a: () => {
        throw new TypeError("undefined is not a function");
      },
    },
  });
  assert.deepEqual([state.result, state.exitCode], ["failed", 70]);
  assert.equal(state.steps.get("a")?.failure?.code, "bug");
});

Deno.test("runPipeline() on a wish to stop: ends steps, runs clean-up, exits 130", async () => {
  const stop = new AbortController();
  const steps = [
    step("long"),
    step("next", { needs: ["long"] }),
    step("tidy", { after: ["long"], if: "always()" }),
    step("told", { after: ["long"], if: "cancelled()" }),
    step("failing", { after: ["long"], if: "failure()" }),
  ];
  const { state } = await runFake(
    pipeline(steps, {
      hooks: {
        success: [step("yes")],
        failure: [step("no")],
        exit: [step("bye", { if: "cancelled()" })],
      },
    }),
    {
      signal: stop.signal,
      steps: {
        long: (request, host) => {
          stop.abort(interrupted());
          return untilStopped()(request, host);
        },
      },
    },
  );
  assert.deepEqual(states(state), {
    long: "cancelled",
    next: "cancelled",
    tidy: "succeeded",
    told: "succeeded",
    failing: "skipped",
    yes: "skipped",
    no: "skipped",
    bye: "succeeded",
  });
  assert.equal(state.steps.get("next")?.reason, "not started: the run was interrupted");
  assert.deepEqual([state.result, state.exitCode], ["cancelled", 130]);
});

Deno.test("runPipeline() that is stopped before it begins starts nothing", async () => {
  const { state, requests } = await runFake(pipeline([step("a")]), {
    signal: AbortSignal.abort(interrupted()),
  });
  assert.deepEqual(states(state), { a: "cancelled" });
  assert.equal(requests.length, 0);
  assert.equal(state.exitCode, 130);
});

Deno.test("runPipeline() does not wait for ever for the clean-up of a stopped run", async () => {
  const stop = new AbortController();
  const steps = [step("a"), step("tidy", { after: ["a"], if: "always()" })];
  const clock = new FakeClock(0);
  const { state } = await runFake(pipeline(steps), {
    signal: stop.signal,
    clock,
    steps: {
      a: (request, host) => {
        stop.abort(interrupted());
        return untilStopped()(request, host);
      },
      tidy: untilStopped(),
    },
  });
  assert.equal(state.steps.get("tidy")?.status, "timed-out");
  assert.ok(clock.now() < 6 * 60_000);
  assert.equal(state.exitCode, 130);
});

Deno.test("runPipeline() keeps to maxParallel", async () => {
  let now = 0;
  let most = 0;
  const steps = Array.from({ length: 20 }, (_, index) => step(`s${index}`));
  await runFake(pipeline(steps), {
    maxParallel: 3,
    otherwise: async (_, host) => {
      most = Math.max(most, ++now);
      await host.clock.sleep(10);
      now--;
      return { status: "succeeded", outputs: {} };
    },
  });
  assert.equal(most, 3);
});

Deno.test("runPipeline() runs hooks by result, in order, and tells them the result", async () => {
  const hooks = {
    success: [step("ok")],
    failure: [step("notify"), step("page")],
    exit: [step("bye")],
  };
  const failed = await runFake(pipeline([step("a")], { hooks }), { steps: { a: fail() } });
  assert.deepEqual(states(failed.state), {
    a: "failed",
    ok: "skipped",
    notify: "succeeded",
    page: "succeeded",
    bye: "succeeded",
  });
  assert.equal(failed.state.steps.get("ok")?.reason, "the run failed");
  assert.equal(failed.state.steps.get("ok")?.hook, "success");
  assert.equal(failed.state.steps.get("ok")?.uncalled, true);
  assert.deepEqual(failed.requests.map(({ step }) => step), ["a", "notify", "page", "bye"]);
  assert.deepEqual(failed.requests[1]?.env, {
    GRID_RUN_RESULT: "failed",
    GRID_FIRST_FAILURE: "a",
  });
  const passed = await runFake(pipeline([step("a")], { hooks }));
  assert.deepEqual(passed.requests.map(({ step }) => step), ["a", "ok", "bye"]);
});

Deno.test("runPipeline() called for a hook that it skips because of another one", async () => {
  const hooks = { success: [], failure: [step("a1"), step("b1", { needs: ["a1"] })], exit: [] };
  const steps = { a: fail(), a1: fail() };
  const { state } = await runFake(pipeline([step("a")], { hooks }), { steps });
  const skipped = state.steps.get("b1");
  assert.deepEqual([skipped?.status, skipped?.uncalled], ["skipped", undefined]);
});

Deno.test("runPipeline() fails when a hook fails, and runs the hooks after it all the same", async () => {
  const hooks = { success: [step("ok")], failure: [], exit: [step("bye")] };
  const { state } = await runFake(pipeline([step("a")], { hooks }), { steps: { ok: fail() } });
  assert.deepEqual(states(state), { a: "succeeded", ok: "failed", bye: "succeeded" });
  assert.deepEqual([state.result, state.firstFailure], ["failed", "ok"]);
});

Deno.test("runPipeline() with --from runs the step and what comes after it", async () => {
  const steps = [step("a"), step("b", { needs: ["a"] }), step("c", { after: ["b"] }), step("d")];
  const { state } = await runFake(pipeline(steps), { from: "b" });
  assert.deepEqual(states(state), {
    a: "skipped",
    b: "succeeded",
    c: "succeeded",
    d: "skipped",
  });
  assert.equal(state.steps.get("a")?.reason, "it was not asked for");
});

Deno.test("runPipeline() says of an output that its step was left out", async () => {
  const steps = [
    step("a"),
    step("b", { needs: ["a"], run: "echo ${{ steps.a.outputs.x }}" }),
  ];
  const { state } = await runFake(pipeline(steps), { only: "b" });
  const failure = state.steps.get("b")?.failure;
  assert.match(failure?.message ?? "", /step "a" was left out of this run/);
  assert.match(failure?.hint ?? "", /grid resume RUN with the same --only/);
});

Deno.test("runPipeline() with --only runs one step, or one group with its members", async () => {
  const steps = [step("a"), ...group("m", [step("m[x=1]"), step("m[x=2]")], { needs: ["a"] })];
  const one = await runFake(pipeline(steps), { only: "a" });
  assert.deepEqual(one.requests.map(({ step }) => step), ["a"]);
  const all = await runFake(pipeline(steps), { only: "m" });
  assert.deepEqual(all.requests.map(({ step }) => step), ["m[x=1]", "m[x=2]"]);
  const cell = await runFake(pipeline(steps), { only: "m[x=2]" });
  assert.deepEqual(cell.requests.map(({ step }) => step), ["m[x=2]"]);
  assert.equal(cell.state.result, "succeeded");
});

Deno.test("runPipeline() with an unknown --only names the nearest step, and runs nothing", async () => {
  await assert.rejects(
    runFake(pipeline([step("train")]), { only: "trian" }),
    { code: "usage", hint: 'did you mean "train"?' },
  );
});

Deno.test("runPipeline() retries on the injected clock and records the delays", async () => {
  const policy = { max: 2, on: ["any"], delayMs: 100, jitter: "none" } as const;
  const { state, clock } = await runFake(pipeline([step("a", { retry: policy })]), {
    steps: { a: inTurn(fail(), fail(), succeed()) },
  });
  const attempts = state.steps.get("a")?.attempts ?? [];
  assert.deepEqual(attempts.map(({ result }) => result), ["failed", "failed", "succeeded"]);
  assert.deepEqual(attempts.map(({ retryInMs }) => retryInMs), [100, 200, undefined]);
  assert.ok(clock.sleeps.includes(100) && clock.sleeps.includes(200));
  assert.equal(state.result, "succeeded");
});

Deno.test("runPipeline() tells with an attempt's end in which image it ran, masked like any text", async () => {
  const { events, state } = await runFake(pipeline([step("a")]), {
    ports: { mask: (value) => JSON.parse(JSON.stringify(value).replaceAll("word", "***")) },
    steps: {
      a: (_, host) => {
        host.ranIn?.("registry/word@sha256:0f");
        return { status: "succeeded", outputs: {} };
      },
    },
  });
  const [end] = events.filter(({ type }) => type === "attempt.finished");
  assert.equal(end?.type === "attempt.finished" && end.image, "registry/***@sha256:0f");
  assert.equal(state.steps.get("a")?.attempts[0]?.image, "registry/***@sha256:0f");
});
