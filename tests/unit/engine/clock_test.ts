/** What a date that jumps or stands still does to a run: nothing but the dates. */
import assert from "node:assert/strict";
import { type Behaviour, deaf, fail, runFake } from "../../support/fake_engine.ts";
import { FakeClock } from "../../support/fake_clock.ts";
import { pipeline, step, type StepParts } from "../../support/pipelines.ts";

const HOUR_MS = 3_600_000;

const CHANGES: Readonly<Record<string, (clock: FakeClock) => void>> = {
  "an hour forth": (clock) => clock.jump(HOUR_MS),
  "an hour back": (clock) => clock.jump(-HOUR_MS),
  "frozen": (clock) => clock.freeze(),
};

interface Measured {
  readonly clock: FakeClock;
  readonly change: (clock: FakeClock) => void;
}

/** Works for a second, and the date changes in the midst of it. */
function changing({ clock, change }: Measured): Behaviour {
  return async (_, host) => {
    await clock.sleep(400, { signal: host.signal });
    change(clock);
    await clock.sleep(600, { signal: host.signal });
    return { status: "succeeded", outputs: {} };
  };
}

async function measure(parts: StepParts, behaviour: (clock: FakeClock) => Behaviour) {
  const clock = new FakeClock();
  const { state, events } = await runFake(pipeline([step("a", parts)]), {
    clock,
    steps: { a: behaviour(clock) },
  });
  const one = state.steps.get("a");
  assert.ok(one);
  return { state, step: one, events, passed: clock.monotonic() };
}

for (const [name, change] of Object.entries(CHANGES)) {
  Deno.test(`a date that is ${name} changes no length: step, attempt and run`, async () => {
    const { state, step, events } = await measure({}, (clock) => changing({ clock, change }));
    const [attempt] = step.attempts;
    assert.deepEqual([step.durationMs, attempt?.durationMs, state.durationMs], [1000, 1000, 1000]);
    assert.deepEqual([step.afterMs, attempt?.afterMs], [0, 0]);
    const ends = events.filter(({ type }) => type.endsWith(".finished"));
    assert.deepEqual(
      ends.map((event) => "durationMs" in event && event.durationMs),
      [1000, 1000, 1000],
    );
  });

  Deno.test(`a date that is ${name} moves no time limit`, async () => {
    for (const limit of ["attemptMs", "totalMs", "idleMs"] as const) {
      const long: (clock: FakeClock) => Behaviour = (clock) => async (_, host) => {
        await clock.sleep(400, { signal: host.signal });
        change(clock);
        await clock.sleep(1e9, { signal: host.signal });
        return { status: "succeeded", outputs: {} };
      };
      const { step } = await measure({ timeout: { [limit]: 2000 } }, long);
      assert.deepEqual([limit, step.status, step.durationMs], [limit, "timed-out", 2000]);
    }
  });

  Deno.test(`a date that is ${name} shortens no grace`, async () => {
    const stubborn: (clock: FakeClock) => Behaviour = (clock) => (request, host) => {
      host.signal.addEventListener("abort", () => change(clock));
      return deaf()(request, host);
    };
    const timeout = { attemptMs: 1000, killGraceMs: 30_000 };
    const { step, state } = await measure({ timeout }, stubborn);
    assert.equal(step.status, "timed-out");
    // The limit, the grace, and what the way to the node may take.
    assert.equal(step.durationMs, 1000 + 30_000 + 15_000);
    assert.match(state.warnings.join(), /did not end within 45.0s/);
  });

  Deno.test(`a date that is ${name} moves no retry`, async () => {
    const failing: (clock: FakeClock) => Behaviour = (clock) => (request, host) => {
      change(clock);
      return fail()(request, host);
    };
    const retry = {
      max: 2,
      on: ["any"],
      delayMs: 500,
      jitter: "none",
      backoff: "constant",
    } as const;
    const { step } = await measure({ retry, timeout: { totalMs: 60_000 } }, failing);
    assert.deepEqual(step.attempts.map(({ afterMs }) => afterMs), [0, 500, 1000]);
    assert.equal(step.durationMs, 1000);
  });
}
