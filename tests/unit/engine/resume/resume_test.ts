import assert from "node:assert/strict";
import { GridError } from "../../../../src/core/errors.ts";
import type { Event } from "../../../../src/engine/event.ts";
import { inherit } from "../../../../src/engine/resume/lineage.ts";
import { previewReuse } from "../../../../src/engine/resume/preview.ts";
import { why } from "../../../../src/engine/resume/why.ts";
import type { CachedResult } from "../../../../src/engine/ports.ts";
import { replay, type RunState } from "../../../../src/engine/reduce.ts";
import type { Pipeline, Step } from "../../../../src/pipeline/pipeline.ts";
import { Text } from "../../../../src/expression/text.ts";
import {
  type Behaviour,
  fail,
  type FakeEngineOptions,
  type FakeRun,
  inTurn,
  makeFailure,
  runFake,
  states,
  succeed,
} from "../../../support/fake_engine.ts";
import { group, pipeline, step } from "../../../support/pipelines.ts";

function resume(
  earlier: RunState,
  again: Pipeline,
  options: FakeEngineOptions = {},
): Promise<FakeRun> {
  return runFake(again, { run: "second", resume: earlier, ...options });
}

/** The journal up to an event, as a runner that was killed leaves it. */
function cutAfter(events: readonly Event[], last: (event: Event) => boolean): RunState {
  const state = replay(events.slice(0, events.findIndex(last) + 1));
  assert.ok(state);
  return state;
}

const CHAIN = [
  step("a"),
  step("b", { needs: ["a"], env: { X: "${{ steps.a.outputs.x }}" } }),
  step("c", { needs: ["b"] }),
];

/** `code`, a sync, then `b`, then `c`. */
function behindASync(): Step[] {
  const action = {
    kind: "sync",
    from: Text.literal("."),
    to: "all",
    as: undefined,
    excludeFrom: undefined,
    exclude: [],
    delete: true,
    writes: [],
  } as const;
  return [
    step("code", { action }),
    step("b", { needs: ["code"] }),
    step("c", { needs: ["b"] }),
  ];
}

function brings(digest: string | undefined): Behaviour {
  return (_, host) => {
    const work = { sent: 1, deleted: 0, total: 1, bytes: 1, durationMs: 1 };
    const place = { node: "n1", folder: "/w/code" };
    host.note({ type: "sync.finished", ...place, ...work, ...(digest && { digest }) });
    return { status: "succeeded", outputs: {} };
  };
}

Deno.test("resume repeats only what failed and what came after it", async () => {
  const first = await runFake(pipeline(CHAIN), { steps: { a: succeed({ x: "1" }), b: fail() } });
  const { state, requests } = await resume(first.state, pipeline(CHAIN));
  assert.deepEqual(states(state), { a: "reused", b: "succeeded", c: "succeeded" });
  assert.deepEqual(requests.map(({ step }) => step), ["b", "c"]);
  assert.equal(requests[0]?.env["X"], "1", "the reused step's output is there");
  assert.equal(state.resumes, first.state.run);
  assert.equal(
    state.steps.get("a")?.reason,
    `it finished in run ${first.state.run} and nothing about it changed`,
  );
  assert.equal(state.result, "succeeded");
});

Deno.test("resume repeats a step whose words changed, and what comes after it", async () => {
  const first = await runFake(pipeline(CHAIN), { steps: { a: succeed({ x: "1" }) } });
  const [a, , c] = CHAIN;
  assert.ok(a && c);
  const edited = [a, step("b", { needs: ["a"], run: "other" }), c];
  const { state } = await resume(first.state, pipeline(edited));
  assert.deepEqual(states(state), { a: "reused", b: "succeeded", c: "succeeded" });
});

Deno.test("resume repeats a step whose input has another value now", async () => {
  const steps = [step("a", { env: { E: "${{ inputs.epochs }}" } }), step("b")];
  const first = await runFake(pipeline(steps, { inputs: { epochs: 3 } }));
  const same = await resume(first.state, pipeline(steps, { inputs: { epochs: 3 } }));
  assert.deepEqual(states(same.state), { a: "reused", b: "reused" });
  const other = await resume(first.state, pipeline(steps, { inputs: { epochs: 5 } }));
  assert.deepEqual(states(other.state), { a: "succeeded", b: "reused" });
});

Deno.test("resume repeats what saw other results of the steps before it", async () => {
  const steps = [step("a"), step("summary", { after: ["a"], if: "always()" })];
  const first = await runFake(pipeline(steps), { steps: { a: fail() } });
  const { state } = await resume(first.state, pipeline(steps));
  assert.deepEqual(states(state), { a: "succeeded", summary: "succeeded" });
});

Deno.test("resume does not mind where, when or how often a step ran", async () => {
  const steps = [step("a", {
    env: { RUN: "${{ run.id }}", N: "${{ attempt }}" },
    retry: { max: 2, on: ["any"] },
    timeout: { attemptMs: 1000 },
  })];
  const first = await runFake(pipeline(steps), {
    steps: {
      a: inTurn(fail(), (_, host) => {
        host.note({ type: "node.chosen", node: "n7" });
        return { status: "succeeded", outputs: {} };
      }),
    },
  });
  const calmer = [step("a", { env: { RUN: "${{ run.id }}", N: "${{ attempt }}" } })];
  const { state } = await resume(first.state, pipeline(calmer));
  assert.equal(state.steps.get("a")?.status, "reused");
  assert.equal(state.steps.get("a")?.node, "n7", "and keeps the node it ran on");
});

Deno.test("resume with from repeats that step and all that come after it", async () => {
  const first = await runFake(pipeline(CHAIN), { steps: { a: succeed({ x: "1" }) } });
  const { state } = await resume(first.state, pipeline(CHAIN), { from: "b" });
  assert.deepEqual(states(state), { a: "reused", b: "succeeded", c: "succeeded" });
});

Deno.test("resume with only repeats that step and nothing else", async () => {
  const first = await runFake(pipeline(CHAIN), {
    steps: { a: succeed({ x: "1" }), c: fail() },
  });
  const { state, requests } = await resume(first.state, pipeline(CHAIN), { only: "b" });
  assert.deepEqual(requests.map(({ step }) => step), ["b"]);
  assert.deepEqual(states(state), { a: "reused", b: "succeeded", c: "skipped" });
});

Deno.test("resume looks again at what a sync has to send, and still reuses what comes after", async () => {
  const steps = behindASync();
  const code = brings("v1");
  const first = await runFake(pipeline(steps), { steps: { code, c: fail() } });
  const { state, requests } = await resume(first.state, pipeline(steps), { steps: { code } });
  assert.deepEqual(states(state), { code: "succeeded", b: "reused", c: "succeeded" });
  assert.deepEqual(requests.at(-1)?.folders, { n1: "/w/code" });
});

Deno.test("resume repeats what comes after a sync that brings other files", async () => {
  const steps = behindASync();
  const first = await runFake(pipeline(steps), {
    run: "r1",
    steps: { code: brings("v1"), c: fail() },
  });
  const again = { steps: { code: brings("v2") } };
  const { state } = await resume(first.state, pipeline(steps), { ...again, run: "r2" });
  assert.deepEqual(states(state), { code: "succeeded", b: "succeeded", c: "succeeded" });
  assert.equal(state.steps.get("b")?.because, '"code" brings other files than in run r1');
  const third = await resume(state, pipeline(steps), { ...again, run: "r3" });
  assert.deepEqual(states(third.state), { code: "succeeded", b: "reused", c: "reused" });
  const fourth = await resume(third.state, pipeline(steps), { steps: { code: brings("v1") } });
  assert.equal(fourth.state.steps.get("b")?.status, "succeeded", "and goes by what it saw last");
});

Deno.test("resume repeats what came after a sync of a run that did not tell what it brought", async () => {
  const steps = behindASync();
  const first = await runFake(pipeline(steps), { run: "r1", steps: { code: brings(undefined) } });
  const { state } = await resume(first.state, pipeline(steps), { steps: { code: brings("v1") } });
  assert.equal(state.steps.get("b")?.because, 'run r1 does not tell what "code" brought');
});

Deno.test("resume repeats what a killed resumption brought other files for but never began", async () => {
  const steps = behindASync();
  const first = await runFake(pipeline(steps), { run: "r1", steps: { code: brings("v1") } });
  const second = await resume(first.state, pipeline(steps), {
    run: "r2",
    steps: { code: brings("v2") },
  });
  const killed = cutAfter(second.events, ({ type }) => type === "sync.finished");
  const { state } = await resume(inherit(killed, first.state), pipeline(steps), {
    steps: { code: brings("v2") },
  });
  assert.deepEqual(states(state), { code: "succeeded", b: "succeeded", c: "succeeded" });
});

Deno.test("resume takes over a job whatever was brought since, and remembers what it began with", async () => {
  const steps = behindASync();
  const begun: Behaviour = (_, host) => {
    host.note({ type: "node.chosen", node: "n1" });
    host.note({ type: "job.started", node: "n1", job: "job-1" });
    return { status: "succeeded", outputs: {} };
  };
  const first = await runFake(pipeline(steps), { steps: { code: brings("v1"), b: begun } });
  const killed = cutAfter(first.events, ({ type }) => type === "job.started");
  const again = { steps: { code: brings("v2") } };
  const second = await resume(killed, pipeline(steps), again);
  assert.equal(second.requests[1]?.resumeJob?.job, "job-1");
  const third = await resume(second.state, pipeline(steps), { ...again, run: "third" });
  assert.equal(third.state.steps.get("b")?.status, "succeeded");
  assert.equal(third.state.steps.get("c")?.status, "succeeded");
});

Deno.test("resume repeats a fetch whose files are gone, and what comes after it", async () => {
  const action = { kind: "fetch", from: [Text.literal("m.pt")], to: Text.literal("out") } as const;
  const steps = [step("train"), step("model", { needs: ["train"], action }), step("eval")];
  const brought = { folder: "/project/out", files: ["m.pt"], bytes: 7 };
  const fetched: Behaviour = () => ({ status: "succeeded", outputs: brought });
  const first = await runFake(pipeline(steps), { steps: { model: fetched, eval: fail() } });
  const asked: unknown[] = [];
  const files = (answer: string | undefined) => ({
    unmatched: () => [],
    lostOutput: () => undefined,
    list: () => [],
    lost: (what: unknown) => {
      asked.push(what);
      return answer;
    },
  });
  const there = await resume(first.state, pipeline(steps), { ports: { files: files(undefined) } });
  assert.equal(there.state.steps.get("model")?.status, "reused");
  assert.deepEqual(asked, [brought]);
  const again = await resume(there.state, pipeline(steps), {
    run: "third",
    ports: { files: files('"out/m.pt", which it brought, is gone') },
    steps: { model: fetched },
  });
  assert.deepEqual(states(again.state), {
    train: "reused",
    model: "succeeded",
    eval: "reused",
  });
  assert.match(again.state.steps.get("model")?.because ?? "", /is gone$/);
});

Deno.test("resume with only brings the step the files of this moment, in the folder that they go to", async () => {
  const steps = behindASync();
  const first = await runFake(pipeline(steps), { steps: { code: brings("v1"), c: fail() } });
  let state = first.state;
  for (const run of ["second", "third"]) {
    const behaviours = { code: brings("v1"), c: fail() };
    const only = await resume(state, pipeline(steps), { run, only: "c", steps: behaviours });
    assert.deepEqual(states(only.state), { code: "succeeded", b: "reused", c: "failed" });
    assert.deepEqual(only.requests.at(-1)?.folders, { n1: "/w/code" });
    state = inherit(only.state, state);
  }
  const last = await resume(state, pipeline(steps), { run: "l", steps: { code: brings("v1") } });
  assert.deepEqual(states(last.state), { code: "succeeded", b: "reused", c: "succeeded" });
});

Deno.test("resume with from keeps what finished before, says what is stale, and does not forget it", async () => {
  const steps = behindASync();
  const first = await runFake(pipeline(steps), { steps: { code: brings("v1"), c: fail() } });
  const from = await resume(first.state, pipeline(steps), {
    run: "from",
    from: "c",
    steps: { code: brings("v2") },
  });
  assert.deepEqual(states(from.state), { code: "succeeded", b: "reused", c: "succeeded" });
  assert.deepEqual(from.state.warnings, [
    'b: its earlier result stands, though it is stale: "code" brings other files than in run ' +
    first.state.run,
  ]);
  assert.match(from.state.steps.get("b")?.reason ?? "", /was not asked for; stale: "code" brings/);
  const later = await resume(from.state, pipeline(steps), {
    run: "later",
    steps: { code: brings("v2") },
  });
  assert.deepEqual(states(later.state), { code: "succeeded", b: "succeeded", c: "succeeded" });
});

Deno.test("resume repeats a step that names its inputs only where one of these changed", async () => {
  const [code, b, c] = behindASync();
  assert.ok(code && b && c);
  const steps = [code, { ...b, inputs: [Text.literal("train.py")] }, c];
  const run = (options: object) => ({ hashInputs: () => "t1", ...options });
  const first = await runFake(
    pipeline(steps),
    run({ steps: { code: brings("v1"), c: fail() } }),
  );
  const same = await resume(
    first.state,
    pipeline(steps),
    run({ run: "same", steps: { code: brings("v2") } }),
  );
  assert.deepEqual(states(same.state), { code: "succeeded", b: "reused", c: "succeeded" });
  const other = await resume(
    same.state,
    pipeline(steps),
    run({ run: "other", hashInputs: () => "t2", steps: { code: brings("v2") } }),
  );
  assert.equal(other.state.steps.get("b")?.status, "succeeded");
  assert.match(other.state.steps.get("b")?.because ?? "", /its inputs are others than in run/);
});

Deno.test("resume attaches to the job of an attempt that nobody saw the end of", async () => {
  const steps = [
    step("a", { retry: { max: 3, on: ["any"], delayMs: 0 } }),
    step("b", {
      needs: ["a"],
    }),
  ];
  const first = await runFake(pipeline(steps), {
    steps: {
      a: inTurn(fail(), (_, host) => {
        host.note({ type: "node.chosen", node: "n1" });
        host.note({ type: "job.started", node: "n1", job: "job-2" });
        return { status: "succeeded", outputs: {} };
      }),
    },
  });
  const killed = cutAfter(first.events, (event) => event.type === "job.started");
  assert.equal(killed.result, "running");
  const { requests, state } = await resume(killed, pipeline(steps), {
    steps: { a: inTurn(fail(), fail(), succeed()) },
  });
  assert.deepEqual(
    requests.filter(({ step }) => step === "a").map((
      { attempt, resumeJob },
    ) => [attempt, resumeJob]),
    [[2, { node: "n1", job: "job-2" }], [3, undefined]],
    "the attempt keeps its number; retries after it are new",
  );
  assert.equal(state.result, "succeeded");
});

Deno.test("resume attaches to the job of a node that stayed away, whatever became of it", async () => {
  const lost: Behaviour = (_, host) => {
    host.note({ type: "node.chosen", node: "n1" });
    host.note({ type: "job.started", node: "n1", job: "job-1" });
    return { status: "failed", failure: makeFailure({ code: "lost", node: "n1" }) };
  };
  const first = await runFake(pipeline([step("a")]), { steps: { a: lost } });
  assert.equal(first.state.result, "failed");
  const { requests } = await resume(first.state, pipeline([step("a")]));
  assert.deepEqual(requests.map(({ resumeJob }) => resumeJob), [{ node: "n1", job: "job-1" }]);
  const known = await runFake(pipeline([step("a")]), {
    steps: {
      a: (request, host) => {
        lost(request, host);
        return { status: "failed", failure: makeFailure() };
      },
    },
  });
  const again = await resume(known.state, pipeline([step("a")]));
  assert.equal(again.requests[0]?.resumeJob, undefined, "a failure that was seen is repeated");
});

Deno.test("resume warns of a job that may still do what was changed since", async () => {
  const first = await runFake(pipeline([step("a")]), {
    steps: {
      a: (_, host) => {
        host.note({ type: "node.chosen", node: "n1" });
        host.note({ type: "job.started", node: "n1", job: "job-1" });
        return { status: "succeeded", outputs: {} };
      },
    },
  });
  const killed = cutAfter(first.events, (event) => event.type === "job.started");
  const { state, requests } = await resume(killed, pipeline([step("a", { run: "other" })]));
  assert.equal(requests[0]?.resumeJob, undefined);
  assert.deepEqual(state.warnings, [
    "a: its earlier job job-1 may still run on n1; end it: grid kill job-1",
  ]);
});

Deno.test("resume records why each step ran again", async () => {
  const steps = [step("failed"), step("changed"), step("behind", { after: ["failed"] })];
  const first = await runFake(pipeline(steps), { steps: { failed: fail() }, run: "r1" });
  const edited = [
    ...steps.map((one) => one.id === "changed" ? step("changed", { run: "x" }) : one),
  ];
  const { state } = await resume(first.state, pipeline([...edited, step("new")]));
  assert.deepEqual([...state.steps.values()].map(({ because }) => because), [
    "it failed in run r1",
    "what it does changed since run r1",
    "a step before it ran again",
    "run r1 did not have it",
  ]);
  const forced = await resume(first.state, pipeline(steps), { from: "changed" });
  assert.equal(forced.state.steps.get("changed")?.because, "it was asked for");
});

Deno.test("resume starts anew where the runner died before the job began", async () => {
  const first = await runFake(pipeline([step("a")]));
  const killed = cutAfter(first.events, (event) => event.type === "attempt.started");
  const { requests } = await resume(killed, pipeline([step("a")]));
  assert.deepEqual(requests.map(({ attempt, resumeJob }) => [attempt, resumeJob]), [[
    1,
    undefined,
  ]]);
});

Deno.test("resume of a resumed run still knows what the first one finished", async () => {
  const first = await runFake(pipeline(CHAIN), { steps: { a: succeed({ x: "1" }), b: fail() } });
  const second = await resume(first.state, pipeline(CHAIN), { steps: { b: fail() } });
  const third = await resume(second.state, pipeline(CHAIN), { run: "third" });
  assert.deepEqual(states(third.state), { a: "reused", b: "succeeded", c: "succeeded" });
  assert.equal(third.state.steps.get("a")?.reusedFrom?.run, first.state.run);
  assert.equal(third.state.resumes, "second");
});

Deno.test("resume repeats only the cells of a matrix that failed", async () => {
  const cell = (lr: string) => step(`m[lr=${lr}]`, { matrix: { lr } });
  const steps = [
    ...group("m", [cell("1"), cell("2")]),
    step("end", {
      needs: ["m"],
      env: { ALL: "${{ toJSON(steps.m.matrix) }}" },
    }),
  ];
  const first = await runFake(pipeline(steps), {
    steps: { "m[lr=1]": succeed({ loss: "0.5" }), "m[lr=2]": fail() },
  });
  const { state, requests } = await resume(first.state, pipeline(steps));
  assert.deepEqual(states(state), {
    "m[lr=1]": "reused",
    "m[lr=2]": "succeeded",
    m: "succeeded",
    end: "succeeded",
  });
  assert.match(requests.at(-1)?.env["ALL"] ?? "", /"loss":"0.5"/);
  const again = await resume(state, pipeline(steps), { run: "third" });
  assert.deepEqual(states(again.state), {
    "m[lr=1]": "reused",
    "m[lr=2]": "reused",
    m: "reused",
    end: "reused",
  });
});

Deno.test("resume repeats no step for an output that held a secret, and hands on no mask for it", async () => {
  const mask = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll("hunter2", "***"));
  const steps = [
    step("a"),
    step("b", { needs: ["a"], env: { LOSS: "${{ steps.a.outputs.loss }}" } }),
    step("c", { needs: ["a"], env: { TOKEN: "${{ steps.a.outputs.token }}" } }),
  ];
  const first = await runFake(pipeline(steps), {
    ports: { mask },
    steps: { a: succeed({ token: "hunter2", loss: "0.5" }), b: fail(), c: fail() },
  });
  assert.deepEqual(first.state.steps.get("a")?.masked, ["token"]);
  assert.match(first.state.warnings.join(), /its output "token" holds a secret/);
  assert.equal(first.requests.find(({ step }) => step === "c")?.env["TOKEN"], "hunter2");
  const { requests, state } = await resume(first.state, pipeline(steps));
  assert.deepEqual(requests.map(({ step, env }) => [step, env]), [["b", { LOSS: "0.5" }]]);
  assert.deepEqual(state.steps.get("a")?.outputs, { loss: "0.5" });
  assert.match(state.warnings.join(), /reused without its output "token"/);
  const failure = state.steps.get("c")?.failure;
  assert.match(
    failure?.message ?? "",
    /the output "token" of step "a" held a secret, which no journal/,
  );
  assert.match(failure?.hint ?? "", /grid resume RUN --from a/);
  const third = await resume(state, pipeline(steps), { run: "third" });
  assert.deepEqual(third.state.steps.get("a")?.masked, ["token"]);
});

Deno.test("resume runs hooks again", async () => {
  const hooks = { success: [], failure: [], exit: [step("bye")] };
  const first = await runFake(pipeline([step("a")], { hooks }));
  const { requests } = await resume(first.state, pipeline([step("a")], { hooks }));
  assert.deepEqual(requests.map(({ step }) => step), ["bye"]);
});

class MemoryResults {
  readonly kept = new Map<string, CachedResult>();
  find(key: string): CachedResult | undefined {
    return this.kept.get(key);
  }
  keep(key: string, result: CachedResult): void {
    this.kept.set(key, result);
  }
}

Deno.test("cache reuses a result of any earlier run while its inputs stay the same", async () => {
  const results = new MemoryResults();
  let content = "v1";
  const hashFiles = (patterns: readonly string[]) => `${patterns.join()}:${content}`;
  const cache = { inputs: [Text.literal("src/**")], key: undefined };
  const steps = [
    step("a", { cache, retry: { max: 1, on: ["any"] } }),
    step("b", {
      needs: ["a"],
      env: { X: "${{ steps.a.outputs.x }}" },
    }),
  ];
  const options = { ports: { results }, hashFiles };
  const first = await runFake(pipeline(steps), {
    ...options,
    run: "r1",
    steps: { a: inTurn(fail(), succeed({ x: "7" })) },
  });
  assert.equal(first.state.steps.get("a")?.status, "succeeded");
  const second = await runFake(pipeline(steps), { ...options, run: "r2" });
  assert.deepEqual(states(second.state), { a: "reused", b: "succeeded" });
  assert.equal(second.requests[0]?.env["X"], "7");
  assert.equal(
    second.state.steps.get("a")?.reason,
    "cached: run r1 did the same with the same inputs",
  );
  content = "v2";
  const third = await runFake(pipeline(steps), { ...options, run: "r3" });
  assert.equal(third.state.steps.get("a")?.status, "succeeded");
  assert.match(
    why(first.state, "a"),
    /succeeded.*; cache not used, because no run has kept a result of it$/,
  );
  assert.match(
    why(third.state, "a"),
    /; cache not used, because the files of src\/\*\* changed since run r1 kept a result$/,
  );
  const [a, b] = steps;
  assert.ok(a && b);
  const other = { ...a, env: { LR: Text.literal("0.1") } };
  const fourth = await runFake(pipeline([other, b]), { ...options, run: "r4" });
  assert.match(
    why(fourth.state, "a"),
    /; cache not used, because its variables changed since run r3 kept a result$/,
  );
  const forecast = previewReuse(pipeline(steps), { env: {}, hashFiles: () => "v5", results });
  assert.match(
    forecast.get("a")?.reason ?? "",
    /^cache not used: its variables and the files of .* changed since run r4/,
  );
});

Deno.test("cache goes by what the syncs before brought where it names no files itself", async () => {
  const results = new MemoryResults();
  const options = { ports: { results }, hashFiles: () => "same" };
  const [code, b, c] = behindASync();
  assert.ok(code && b && c);
  const named = { inputs: [Text.literal("data/*")], key: undefined };
  const steps = [code, { ...b, cache: { inputs: [], key: undefined } }, { ...c, cache: named }];
  const run = (run: string, digest: string) =>
    runFake(pipeline(steps), { ...options, run, steps: { code: brings(digest) } });
  await run("r1", "v1");
  assert.deepEqual(states((await run("r2", "v1")).state), {
    code: "succeeded",
    b: "reused",
    c: "reused",
  });
  assert.deepEqual(states((await run("r3", "v2")).state), {
    code: "succeeded",
    b: "succeeded",
    c: "reused",
  });
  assert.match(
    why((await run("r4", "v3")).state, "b"),
    /; cache not used, because what "code" brings changed since run r3 kept a result$/,
  );
});

Deno.test("cache warns of an input that matches no file, whether its result is reused or not", async () => {
  const results = new MemoryResults();
  const cache = { inputs: [Text.literal("data/*"), Text.literal("dta/*")], key: undefined };
  const files = {
    unmatched: (patterns: readonly string[]) => patterns.filter((each) => each.startsWith("dta")),
    lostOutput: () => undefined,
    list: () => [],
    lost: () => undefined,
  };
  const options = { ports: { results, files }, hashFiles: () => "" };
  const steps = [step("a", { cache }), step("b")];
  for (const status of ["succeeded", "reused"]) {
    const { state } = await runFake(pipeline(steps), options);
    assert.equal(state.steps.get("a")?.status, status);
    assert.deepEqual(state.warnings, [
      'a: cache.inputs: "dta/*" matches no file, so that no change of it is seen',
    ]);
  }
  const forecast = previewReuse(pipeline(steps), { env: {}, hashFiles: () => "", results, files });
  assert.equal(forecast.get("a")?.warnings?.length, 1);
});

Deno.test("a step whose inputs cannot be looked at fails alone, and not where it was left out", async () => {
  const hashFiles = ([pattern]: readonly string[]): string => {
    if (pattern !== "@(a|b)") return "same";
    throw new GridError({ code: "step-failed", message: `Cannot read the glob "${pattern}"` });
  };
  const wrong = [Text.literal("@(a|b)")];
  const steps = [
    step("cached", { cache: { inputs: wrong, key: undefined } }),
    step("named", { inputs: wrong }),
    step("behind", { needs: ["named"] }),
    step("other"),
  ];
  const options = { ports: { results: new MemoryResults() }, hashFiles };
  const { state } = await runFake(pipeline(steps), options);
  assert.deepEqual(states(state), {
    cached: "failed",
    named: "failed",
    behind: "skipped",
    other: "succeeded",
  });
  assert.equal(state.steps.get("cached")?.failure?.message, 'Cannot read the glob "@(a|b)"');
  assert.equal(state.exitCode, 1);
  const part = await runFake(pipeline(steps), { ...options, only: "other" });
  assert.equal(part.state.result, "succeeded");
});

Deno.test("cache keeps no failure, no secret, and nothing of steps that did not opt in", async () => {
  const results = new MemoryResults();
  const mask = <T>(value: T): T => JSON.parse(JSON.stringify(value).replaceAll("hunter2", "***"));
  const cache = { inputs: [], key: Text.literal("k") };
  const steps = [step("bad", { cache }), step("leaky", { cache, run: "x" }), step("plain")];
  await runFake(pipeline(steps), {
    ports: { results, mask },
    steps: { bad: fail(), leaky: succeed({ token: "hunter2" }) },
  });
  assert.equal(results.kept.size, 0);
});
