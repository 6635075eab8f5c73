import assert from "node:assert/strict";
import type { Attempted, ReadFirst } from "../../../../src/engine/ports.ts";
import { runFake, states, takes, trace } from "../../../support/fake_engine.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { pipeline, step } from "../../../support/pipelines.ts";

/** Files whose sums are known once they have been read, which takes a while. */
class SlowFiles implements ReadFirst {
  readonly clock = new FakeClock();
  readonly known = new Set<string>();
  readonly signals: AbortSignal[] = [];
  readonly #isSteady: boolean;
  #wanted: Set<string> | undefined;

  constructor({ isSteady = true } = {}) {
    this.#isSteady = isSteady;
  }

  readonly hashFiles = ([name = ""]: readonly string[]): string => {
    if (this.#wanted === undefined || this.known.has(name)) return `sum of ${name}`;
    this.#wanted.add(name);
    throw new Error("not read yet");
  };

  attempt<T>(work: () => T): Attempted<T> {
    const wanted = this.#wanted = new Set();
    try {
      const value = work();
      if (wanted.size === 0) return { value };
    } finally {
      this.#wanted = undefined;
    }
    return {
      read: async (signal) => {
        this.signals.push(signal);
        await this.clock.sleep(60_000, { signal });
        if (this.#isSteady) { for (const name of wanted) this.known.add(name); }
      },
    };
  }
}

function run(
  files: SlowFiles,
  steps: Parameters<typeof pipeline>[0],
  options: Parameters<typeof runFake>[1] = {},
) {
  return runFake(pipeline(steps), {
    ports: { readFirst: files },
    hashFiles: files.hashFiles,
    clock: files.clock,
    ...options,
  });
}

const HASH = { H: "${{ hashFiles('data') }}" };

Deno.test("what a step depends on is read before it starts, while others run", async () => {
  const files = new SlowFiles();
  const { events, requests, state } = await run(files, [
    step("much", { env: HASH }),
    step("first"),
    step("second", { needs: ["first"] }),
    step("last", { needs: ["much"] }),
  ]);
  assert.equal(state.result, "succeeded");
  const order = trace(events).filter((it) => it.startsWith("step.started"));
  assert.deepEqual(order, ["first", "second", "much", "last"].map((id) => `step.started ${id}`));
  const much = requests.find((request) => request.step === "much");
  assert.deepEqual(much?.env, { H: "sum of data" });
  assert.equal(files.signals.length, 1);
});

Deno.test("conditions wait for what they ask about, and a step that reads two things twice", async () => {
  const files = new SlowFiles();
  const { state, requests } = await run(files, [
    step("no", { if: "hashFiles('a') == 'other'" }),
    step("yes", { if: "hashFiles('a') == 'sum of a'", env: { H: "${{ hashFiles('b') }}" } }),
  ]);
  assert.deepEqual(states(state), { no: "skipped", yes: "succeeded" });
  assert.deepEqual(requests.map(({ env }) => env), [{ H: "sum of b" }]);
});

Deno.test("a run that is told to stop stops reading, and the step never starts", async () => {
  const files = new SlowFiles();
  const stop = new AbortController();
  const { state, events } = await run(files, [
    step("much", { env: HASH }),
    step("clean", { needs: ["much"], if: "always()" }),
  ], {
    signal: stop.signal,
    readEvent: ({ type }) => {
      if (type === "run.started") setTimeout(() => stop.abort(new Error("enough")), 0);
    },
  });
  assert.deepEqual(states(state), { much: "cancelled", clean: "succeeded" });
  assert.ok(!trace(events).includes("step.started much"));
  assert.ok(files.signals.every(({ aborted }) => aborted));
  assert.ok(files.clock.monotonic() < 60_000);
});

Deno.test("a failure that halts the run ends what is being read for others", async () => {
  const files = new SlowFiles();
  const { state } = await run(files, [
    step("much", { env: HASH }),
    step("fails"),
  ], { failFast: true, steps: { fails: () => ({ status: "failed", failure: FAILURE }) } });
  assert.deepEqual(states(state), { much: "cancelled", fails: "failed" });
  assert.ok(files.clock.monotonic() < 60_000);
});

const FAILURE = { code: "step-failed", message: "no", started: true } as const;

Deno.test("a step whose files change all the time starts all the same", async () => {
  const files = new SlowFiles({ isSteady: false });
  const { state, requests } = await run(files, [step("much", { env: HASH })], {
    otherwise: takes(10),
  });
  assert.equal(state.result, "succeeded");
  assert.deepEqual(requests.map(({ env }) => env), [{ H: "sum of data" }]);
  assert.equal(files.signals.length, 4);
});
