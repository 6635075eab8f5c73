import assert from "node:assert/strict";
import {
  fail,
  runFake,
  states,
  succeed,
  takes,
  trace,
  untilStopped,
} from "../../../support/fake_engine.ts";
import { group, pipeline, step } from "../../../support/pipelines.ts";
import { parseText } from "../../../support/texts.ts";

function cells(id: string, values: readonly string[], parts: Parameters<typeof step>[1] = {}) {
  return values.map((lr) => step(`${id}[lr=${lr}]`, { ...parts, matrix: { lr } }));
}

Deno.test("a group starts once its needs are met, and ends after its members", async () => {
  const steps = [step("prep"), ...group("m", cells("m", ["1", "2"]), { needs: ["prep"] })];
  const { events } = await runFake(pipeline(steps));
  assert.deepEqual(
    trace(events).filter((line) => line.startsWith("step.")),
    [
      "step.started prep",
      "step.finished prep",
      "step.started m",
      "step.started m[lr=1]",
      "step.started m[lr=2]",
      "step.finished m[lr=1]",
      "step.finished m[lr=2]",
      "step.finished m",
    ],
  );
});

Deno.test("a matrix gives its cells as a list of params, status, outputs and node", async () => {
  const steps = [
    ...group("sweep", cells("sweep", ["1e-4", "3e-4"])),
    step("summary", {
      after: ["sweep"],
      if: "always()",
      env: {
        RUNS: "${{ toJSON(steps.sweep.matrix) }}",
        FIRST: "${{ steps.sweep.matrix[0].params.lr }}",
      },
    }),
  ];
  const { requests, state } = await runFake(pipeline(steps), {
    steps: {
      "sweep[lr=1e-4]": succeed({ loss: "0.25" }),
      "sweep[lr=3e-4]": fail(),
    },
  });
  const summary = requests.find((request) => request.step === "summary");
  assert.deepEqual(JSON.parse(summary?.env["RUNS"] ?? ""), [
    { params: { lr: "1e-4" }, status: "succeeded", outputs: { loss: "0.25" }, node: null },
    { params: { lr: "3e-4" }, status: "failed", outputs: {}, node: null },
  ]);
  assert.equal(summary?.env["FIRST"], "1e-4");
  assert.equal(state.steps.get("sweep")?.reason, '1 of 2 failed, first "sweep[lr=3e-4]"');
  assert.equal(state.firstFailure, "sweep[lr=3e-4]");
});

Deno.test("the first failure of a group is the first by time, not in the file", async () => {
  const steps = group("m", cells("m", ["slow", "quick", "well"]));
  const { state } = await runFake(pipeline(steps), {
    steps: {
      "m[lr=slow]": async (request, host) => {
        await host.clock.sleep(3000);
        return await fail()(request, host);
      },
      "m[lr=quick]": fail(),
    },
  });
  assert.equal(state.steps.get("m")?.reason, '2 of 3 failed, first "m[lr=quick]"');
  assert.equal(state.firstFailure, "m[lr=quick]");
});

Deno.test("a matrix keeps to max-parallel", async () => {
  let now = 0;
  let most = 0;
  const steps = group("m", cells("m", ["1", "2", "3", "4", "5"]), { maxParallel: 2 });
  const { state } = await runFake(pipeline(steps), {
    otherwise: async (_, host) => {
      most = Math.max(most, ++now);
      await host.clock.sleep(10);
      now--;
      return { status: "succeeded", outputs: {} };
    },
  });
  assert.equal(most, 2);
  assert.equal(state.result, "succeeded");
});

Deno.test("a matrix goes on when a cell fails, unless it is to fail fast", async () => {
  for (const failFast of [false, true]) {
    const steps = [
      ...group("m", cells("m", ["1", "2", "3"]), { failFast, maxParallel: 2 }),
      step("x"),
    ];
    const { state } = await runFake(pipeline(steps), {
      steps: { "m[lr=1]": fail(), "m[lr=2]": failFast ? untilStopped() : takes(100), x: takes(50) },
    });
    assert.deepEqual(states(state), {
      "m[lr=1]": "failed",
      "m[lr=2]": failFast ? "cancelled" : "succeeded",
      "m[lr=3]": failFast ? "cancelled" : "succeeded",
      m: "failed",
      x: "succeeded",
    });
  }
});

Deno.test("a condition on matrix values is each cell's own", async () => {
  const steps = [
    step("a"),
    ...group("m", cells("m", ["1", "2"], { if: 'matrix.lr == "1"' }), { needs: ["a"] }),
    step("b", { needs: ["m"] }),
  ];
  const good = await runFake(pipeline(steps));
  assert.deepEqual(states(good.state), {
    a: "succeeded",
    "m[lr=1]": "succeeded",
    "m[lr=2]": "skipped",
    m: "succeeded",
    b: "succeeded",
  });
  const bad = await runFake(pipeline(steps), { steps: { a: fail() } });
  assert.deepEqual(states(bad.state), {
    a: "failed",
    "m[lr=1]": "skipped",
    "m[lr=2]": "skipped",
    m: "skipped",
    b: "skipped",
  });
  assert.equal(bad.state.steps.get("m[lr=1]")?.reason, 'it needs "a", which failed');
});

Deno.test("a group whose condition is false takes its members along, and counts as well", async () => {
  const inner = group("t/g", [step("t/g[x=1]")], { group: "t" });
  const steps = [
    ...group("t", inner, { of: "template", if: "false" }),
    step("b", { needs: ["t"] }),
  ];
  const { state } = await runFake(pipeline(steps));
  assert.deepEqual(states(state), {
    "t/g[x=1]": "skipped",
    "t/g": "skipped",
    t: "skipped",
    b: "succeeded",
  });
  assert.equal(state.steps.get("t")?.reason, "its condition is false: false");
  assert.equal(state.steps.get("t/g[x=1]")?.reason, '"t": its condition is false: false');
});

Deno.test("a group with allow-failure keeps the failure of its members inside", async () => {
  const steps = [
    ...group("m", cells("m", ["1", "2"]), { allowFailure: true }),
    step("b", { needs: ["m"] }),
  ];
  const { state } = await runFake(pipeline(steps), { steps: { "m[lr=1]": fail() } });
  assert.equal(state.steps.get("m")?.status, "allowed-failure");
  assert.equal(state.steps.get("b")?.status, "succeeded");
  assert.deepEqual([state.result, state.exitCode, state.firstFailure], ["succeeded", 0, undefined]);
});

Deno.test("run-level fail-fast heeds the allow-failure of a group", async () => {
  const steps = [...group("m", cells("m", ["1", "2"]), { allowFailure: true }), step("b")];
  const { state } = await runFake(pipeline(steps), {
    failFast: true,
    steps: { "m[lr=1]": fail(), b: takes(1000) },
  });
  assert.equal(state.steps.get("b")?.status, "succeeded");
  const strict = await runFake(
    pipeline([...group("m", cells("m", ["1", "2"])), step("b")]),
    { failFast: true, steps: { "m[lr=1]": fail(), "m[lr=2]": untilStopped(), b: untilStopped() } },
  );
  assert.deepEqual(states(strict.state), {
    "m[lr=1]": "failed",
    "m[lr=2]": "cancelled",
    m: "failed",
    b: "cancelled",
  });
});

Deno.test("a template sees its inputs, evaluated where it is used, and gives outputs", async () => {
  const score = step("eval/score", {
    scope: "eval",
    env: { SUITE: "${{ inputs.suite }}", N: "${{ inputs.n + 1 }}" },
  });
  const last = step("eval/last", {
    scope: "eval",
    needs: ["eval/score"],
    env: { S: "${{ steps.score.outputs.value }}" },
  });
  const steps = [
    step("pick"),
    ...group("eval", [score, last], {
      of: "template",
      needs: ["pick"],
      outputs: { best: "${{ steps.score.outputs.value }}" },
    }),
    step("after", { needs: ["eval"], env: { BEST: "${{ steps.eval.outputs.best }}" } }),
  ];
  const { requests, state } = await runFake(
    pipeline(steps, {
      inputs: { who: "me" },
      scopes: {
        "": { parent: undefined, inputs: { who: "me" } },
        eval: {
          parent: "",
          inputs: { suite: parseText("${{ steps.pick.outputs.suite }}-${{ inputs.who }}"), n: 41 },
        },
      },
    }),
    { steps: { pick: succeed({ suite: "nightly" }), "eval/score": succeed({ value: "0.9" }) } },
  );
  const env = Object.fromEntries(requests.map((request) => [request.step, request.env]));
  assert.deepEqual(env["eval/score"], { SUITE: "nightly-me", N: "42" });
  assert.deepEqual(env["eval/last"], { S: "0.9" });
  assert.deepEqual(env["after"], { BEST: "0.9" });
  assert.deepEqual(state.steps.get("eval")?.outputs, { best: "0.9" });
});

Deno.test("a template used by the cells of a matrix gets each cell's values", async () => {
  const use = (suite: string) => {
    const id = `eval[suite=${suite}]`;
    return group(id, [step(`${id}/s`, { scope: id, env: { SUITE: "${{ inputs.suite }}" } })], {
      of: "template",
      group: "eval",
      matrix: { suite },
    });
  };
  const steps = group("eval", [...use("a"), ...use("b")]);
  const scope = { parent: "", inputs: { suite: parseText("${{ matrix.suite }}") } };
  const { requests, state } = await runFake(pipeline(steps, {
    scopes: {
      "": { parent: undefined, inputs: {} },
      "eval[suite=a]": scope,
      "eval[suite=b]": scope,
    },
  }));
  assert.deepEqual(requests.map(({ env }) => env["SUITE"]), ["a", "b"]);
  assert.equal(state.result, "succeeded");
});

Deno.test("a template fails when it went well but has no value for an output", async () => {
  const steps = group("t", [step("t/s", { scope: "t" })], {
    of: "template",
    outputs: { best: "${{ steps.s.outputs.missing }}" },
  });
  const { state } = await runFake(pipeline(steps, {
    scopes: { "": { parent: undefined, inputs: {} }, t: { parent: "", inputs: {} } },
  }));
  assert.equal(state.steps.get("t")?.status, "failed");
  assert.match(state.steps.get("t")?.failure?.message ?? "", /has no output "missing"/);
  assert.deepEqual([state.firstFailure, state.exitCode], ["t", 1]);
});

Deno.test("a template whose input has no value fails before it begins, and the run goes on", async () => {
  const member = step("t/s", { scope: "t", env: { X: "${{ inputs.x }}" } });
  const steps = [
    step("a"),
    ...group("t", [member], { of: "template", outputs: { y: "${{ inputs.x }}" } }),
    step("b"),
  ];
  const { state } = await runFake(pipeline(steps, {
    scopes: {
      "": { parent: undefined, inputs: {} },
      t: { parent: "", inputs: { x: parseText("${{ steps.a.outputs.missing }}") } },
    },
  }));
  assert.deepEqual(states(state), {
    a: "succeeded",
    "t/s": "skipped",
    t: "failed",
    b: "succeeded",
  });
  assert.match(state.steps.get("t")?.failure?.message ?? "", /has no output "missing"/);
});

Deno.test("an empty group succeeds", async () => {
  const { state } = await runFake(pipeline(group("m", [])));
  assert.equal(state.steps.get("m")?.status, "succeeded");
});
