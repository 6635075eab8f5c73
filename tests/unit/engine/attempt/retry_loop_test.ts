import assert from "node:assert/strict";
import { FakeClock } from "../../../support/fake_clock.ts";
import {
  type Behaviour,
  deaf,
  fail,
  interrupted,
  inTurn,
  makeFailure,
  runFake,
  succeed,
  takes,
  untilStopped,
} from "../../../support/fake_engine.ts";
import { pipeline, step, type StepParts } from "../../../support/pipelines.ts";
import type { StepState } from "../../../../src/engine/reduce.ts";
import { GridError } from "../../../../src/core/errors.ts";

async function runOne(
  parts: StepParts,
  behaviour: Behaviour,
  options: { readonly signal?: AbortSignal; readonly clock?: FakeClock } = {},
): Promise<StepState & { readonly warnings: readonly string[] }> {
  const { state } = await runFake(pipeline([step("a", parts)]), {
    steps: { a: behaviour },
    ...options,
  });
  const one = state.steps.get("a");
  assert.ok(one);
  return { ...one, warnings: state.warnings };
}

const RETRY = { max: 3, delayMs: 100 } as const;

Deno.test("runAttempts() counts attempts from 1 and stops at the first success", async () => {
  const { attempts, status } = await runOne(
    { retry: { ...RETRY, on: ["any"] } },
    inTurn(fail(), succeed({ loss: "0.1" })),
  );
  assert.equal(status, "succeeded");
  assert.deepEqual(attempts.map(({ attempt }) => attempt), [1, 2]);
});

Deno.test("runAttempts() makes max + 1 attempts and no more", async () => {
  const { attempts, status } = await runOne({ retry: { ...RETRY, max: 2, on: ["any"] } }, fail());
  assert.deepEqual([status, attempts.length], ["failed", 3]);
  assert.equal(attempts.at(-1)?.retryInMs, undefined);
});

Deno.test("runAttempts() retries only the classes of its policy", async () => {
  const cases: readonly [string, NonNullable<StepParts["retry"]>["on"], Behaviour, number][] = [
    ["transport before the start", ["transport"], fail({ code: "tcp", started: false }), 4],
    ["transport after the start", ["transport"], fail({ code: "lost", started: true }), 1],
    ["node-lost after the start", ["node-lost"], fail({ code: "lost", started: true }), 4],
    ["exit code under transport", ["transport"], fail({ exitCode: 75 }), 1],
    ["exit code that is listed", ["exit:75"], fail({ exitCode: 75 }), 4],
    ["exit code that is not", ["exit:75"], fail({ exitCode: 1 }), 1],
    ["any", ["any"], fail({ exitCode: 9 }), 4],
    ["host key under any", ["any"], fail({ code: "host-key", started: false }), 1],
    ["no algorithm under any", ["any"], fail({ code: "algorithm", started: false }), 1],
    ["no algorithm", ["transport", "node-lost"], fail({ code: "algorithm", started: false }), 1],
    ["wrong words under any", ["any"], fail({ code: "usage", started: false }), 1],
    ["auth under transport", ["transport"], fail({ code: "auth", started: false }), 1],
    ["nothing listed", [], fail({ code: "tcp", started: false }), 1],
  ];
  for (const [name, on = [], behaviour, expected] of cases) {
    const { attempts } = await runOne({ retry: { ...RETRY, on } }, behaviour);
    assert.equal(attempts.length, expected, name);
  }
});

Deno.test("runAttempts() takes what a kind throws for a failure before the start, until a job began", async () => {
  const thrower = (noted: boolean): Behaviour => (_, host) => {
    if (noted) host.note({ type: "job.started", node: "n1", job: "j" });
    throw new GridError({ code: "lost", message: "gone", node: "n1", hint: "look" });
  };
  const before = await runOne({ retry: { ...RETRY, on: ["transport"] } }, thrower(false));
  assert.equal(before.attempts.length, 4);
  const after = await runOne({ retry: { ...RETRY, on: ["transport"] } }, thrower(true));
  assert.equal(after.attempts.length, 1);
  assert.deepEqual(after.failure, {
    code: "lost",
    message: "gone",
    node: "n1",
    hint: "look",
    started: true,
  });
});

Deno.test("runAttempts() tells a retry which nodes failed, where the policy avoids them", async () => {
  const onNode = (behaviour: Behaviour): Behaviour => (request, host) => {
    host.note({ type: "node.chosen", node: `n${request.attempt}` });
    return behaviour(request, host);
  };
  for (
    const [avoidNode, expected] of [[true, [[], ["n1"], ["n1", "n2"]]], [false, [
      [],
      [],
      [],
    ]]] as const
  ) {
    const { requests, state } = await runFake(
      pipeline([step("a", { retry: { max: 2, on: ["any"], avoidNode } })]),
      { steps: { a: onNode(inTurn(fail(), fail(), succeed())) } },
    );
    assert.deepEqual(requests.map(({ avoidNodes }) => avoidNodes), expected);
    assert.equal(state.steps.get("a")?.node, "n3");
  }
});

Deno.test("runAttempts() ends an attempt at its limit and can retry it as a timeout", async () => {
  const { attempts, status } = await runOne(
    { timeout: { attemptMs: 1000 }, retry: { ...RETRY, max: 1, on: ["timeout"] } },
    inTurn(untilStopped(), takes(10)),
  );
  assert.equal(status, "succeeded");
  assert.deepEqual(attempts.map(({ result }) => result), ["timed-out", "succeeded"]);
  assert.equal(attempts[0]?.failure?.code, "timed-out");
  assert.match(attempts[0]?.failure?.message ?? "", /the attempt took longer than 1.0s/);
});

Deno.test("runAttempts() ends an attempt that prints nothing for too long", async () => {
  const chatty: Behaviour = async (_, host) => {
    for (let turn = 0; turn < 10; turn++) {
      await host.clock.sleep(900, { signal: host.signal });
      await host.output("stdout", new TextEncoder().encode("."));
    }
    return { status: "succeeded", outputs: {} };
  };
  const talking = await runOne({ timeout: { idleMs: 1000 } }, chatty);
  assert.equal(talking.status, "succeeded");
  const silent = await runOne({ timeout: { idleMs: 1000 } }, untilStopped());
  assert.equal(silent.status, "timed-out");
  assert.match(silent.failure?.message ?? "", /printed nothing for 1.0s/);
  assert.equal(silent.failure?.hint, 'raise timeout.idle of "a" if this is expected');
});

Deno.test("runAttempts() bounds all attempts and the waits between them by the total limit", async () => {
  const { attempts, status } = await runOne(
    { timeout: { totalMs: 5000 }, retry: { max: 99, on: ["any"], delayMs: 0 } },
    async (_, host) => {
      await host.clock.sleep(2000, { signal: host.signal });
      return { status: "failed", failure: makeFailure() };
    },
  );
  assert.equal(status, "timed-out");
  assert.deepEqual(attempts.map(({ result }) => result), ["failed", "failed", "timed-out"]);
});

Deno.test("runAttempts() does not wait for a retry that the total limit would cut off", async () => {
  const clock = new FakeClock(0);
  const { attempts, status } = await runOne(
    { timeout: { totalMs: 5000 }, retry: { max: 9, on: ["any"], delayMs: 6000 } },
    fail(),
    { clock },
  );
  assert.deepEqual([status, attempts.length], ["failed", 1]);
  assert.equal(attempts[0]?.retryInMs, undefined);
  assert.ok(clock.now() < 5000);
});

Deno.test("runAttempts() gives up on a kind that does not listen, and says so", async () => {
  const clock = new FakeClock(0);
  const one = await runOne({ timeout: { attemptMs: 1000, killGraceMs: 2000 } }, deaf(), { clock });
  assert.equal(one.status, "timed-out");
  assert.match(one.warnings.join(), /a: did not end within 17.0s of being told to/);
  assert.ok(clock.now() < 30_000);
});

Deno.test("runAttempts() is deaf to a kind that goes on after it was given up", async () => {
  let late: () => void = () => {};
  const { state, output } = await runFake(
    pipeline([step("a", { timeout: { attemptMs: 1000 } })]),
    {
      steps: {
        a: (_, host) => {
          late = () => {
            host.note({ type: "warned", message: "late" });
            host.output("stdout", new TextEncoder().encode("late"));
          };
          return new Promise(() => {});
        },
      },
      ports: {},
    },
  );
  late();
  assert.ok(!state.warnings.join().includes("late"));
  assert.equal(output.get("a.1"), undefined);
});

Deno.test("runAttempts() keeps how the command ended beside the reason it was told to end", async () => {
  const one = await runOne({ timeout: { attemptMs: 1000 } }, async (_, host) => {
    await host.clock.sleep(1e9, { signal: host.signal }).catch(() => {});
    const failure = makeFailure({ code: "signal", signal: "SIGTERM", node: "n1" });
    return { status: "failed", failure };
  });
  assert.deepEqual(
    [one.failure?.code, one.failure?.signal, one.failure?.node, one.failure?.started],
    ["timed-out", "SIGTERM", "n1", true],
  );
});

Deno.test("runAttempts() says what became of the command that it told to stop", async () => {
  const left: Behaviour = async (_, host) => {
    await host.clock.sleep(1e9, { signal: host.signal }).catch(() => {});
    return { status: "failed", failure: makeFailure(), aftermath: "1 survivor: 17 (python)" };
  };
  const late = await runOne({ timeout: { attemptMs: 1000 } }, left);
  assert.match(late.failure?.message ?? "", /took longer than 1\.0s; 1 survivor: 17 \(python\)$/);
  const cancelled = await runOne({}, left, { signal: AbortSignal.abort(interrupted()) });
  assert.ok(!cancelled.reason?.includes("survivor"), "it was never started");
});

Deno.test("runAttempts() counts a command that ends well after the signal as a success", async () => {
  const one = await runOne({ timeout: { attemptMs: 1000 } }, async (_, host) => {
    await host.clock.sleep(1e9, { signal: host.signal }).catch(() => {});
    return { status: "succeeded", outputs: { saved: "yes" } };
  });
  assert.deepEqual([one.status, one.outputs], ["succeeded", { saved: "yes" }]);
});

Deno.test("runAttempts() that is cancelled during the wait for a retry ends as cancelled", async () => {
  const stop = new AbortController();
  const { attempts, status } = await runOne(
    { retry: { max: 5, on: ["any"], delayMs: 3_600_000, maxDelayMs: 3_600_000 } },
    () => {
      queueMicrotask(() => stop.abort(interrupted()));
      return { status: "failed", failure: makeFailure() };
    },
    { signal: stop.signal },
  );
  assert.deepEqual([status, attempts.length], ["cancelled", 1]);
});

Deno.test("runAttempts() turns failure into allowed-failure, but never a cancel", async () => {
  const failed = await runOne({ allowFailure: true }, fail());
  assert.equal(failed.status, "allowed-failure");
  assert.equal(failed.failure?.code, "exit");
  const late = await runOne({ allowFailure: true, timeout: { attemptMs: 10 } }, untilStopped());
  assert.equal(late.status, "allowed-failure");
  const stop = new AbortController();
  const stopped = await runOne({ allowFailure: true }, (request, host) => {
    stop.abort(interrupted());
    return untilStopped()(request, host);
  }, { signal: stop.signal });
  assert.equal(stopped.status, "cancelled");
});

Deno.test("runAttempts() evaluates the step anew for each attempt", async () => {
  const { requests } = await runFake(
    pipeline([
      step("a", { env: { N: "${{ attempt }}" }, retry: { max: 1, on: ["any"] } }),
    ]),
    { steps: { a: inTurn(fail(), succeed()) } },
  );
  assert.deepEqual(requests.map(({ env }) => env["N"]), ["1", "2"]);
});

Deno.test("runAttempts() passes output on byte by byte", async () => {
  const { output } = await runFake(pipeline([step("a")]), {
    steps: {
      a: async (_, host) => {
        await host.output("stdout", new TextEncoder().encode("hi "));
        await host.output("stderr", new TextEncoder().encode("there"));
        return { status: "succeeded", outputs: {} };
      },
    },
  });
  assert.equal(output.get("a.1"), "hi there");
});
