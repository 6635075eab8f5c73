import assert from "node:assert/strict";
import { join } from "node:path";
import { why } from "../../../../src/engine/resume/why.ts";
import { replay } from "../../../../src/engine/reduce.ts";
import type { Concurrency } from "../../../../src/pipeline/pipeline.ts";
import { openStore } from "../../../../src/store/open.ts";
import type { Store } from "../../../../src/store/store.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import {
  type Behaviour,
  interrupted,
  runFake,
  states,
  takes,
  untilStopped,
} from "../../../support/fake_engine.ts";
import { pipeline, step } from "../../../support/pipelines.ts";
import { tempDir } from "../../../support/temp_dir.ts";
import { parseText } from "../../../support/texts.ts";

/** Two runs of one group on one clock; the second begins while the first has a place. */
async function collide(
  store: Store,
  onConflict: Concurrency["onConflict"],
  first: Behaviour = takes(10_000),
) {
  const clock = new FakeClock();
  const concurrency = { group: parseText("train-${{ inputs.name }}"), max: 1, onConflict };
  const parts = { inputs: { name: "x" }, concurrency };
  const order: string[] = [];
  const options = (run: string, behaviour: Behaviour) => ({
    run,
    clock,
    ports: { registry: store, journal: store },
    otherwise: async (...call: Parameters<Behaviour>) => {
      order.push(`${run} begins`);
      try {
        return await behaviour(...call);
      } finally {
        order.push(`${run} ends`);
      }
    },
  });
  const firstRun = runFake(pipeline([step("a")], parts), options("r1", first));
  await clock.advance(0);
  const secondRun = runFake(pipeline([step("a")], parts), options("r2", takes(10)));
  const [one, two] = await Promise.allSettled([firstRun, secondRun]);
  return { one, two, order };
}

function resultOf(end: PromiseSettledResult<Awaited<ReturnType<typeof runFake>>>) {
  if (end.status === "rejected") throw end.reason;
  return end.value;
}

Deno.test("concurrency queue: the second run waits, says for whom, and then runs", async () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  const { one, two, order } = await collide(store, "queue");
  assert.deepEqual(order, ["r1 begins", "r1 ends", "r2 begins", "r2 ends"]);
  assert.equal(resultOf(one).state.result, "succeeded");
  assert.equal(resultOf(two).state.result, "succeeded");
  const { events, state } = resultOf(two);
  const waiting = replay(events.slice(0, 2));
  assert.deepEqual(waiting?.warnings, ['waits in concurrency group "train-x" for r1']);
  assert.equal(
    waiting && why(waiting, "a"),
    'a has not started: its run waits in concurrency group "train-x" for run r1',
  );
  assert.deepEqual(state.warnings, [], "and no longer says so once it has run");
});

Deno.test("concurrency skip: the second run does nothing, says why, and exits 0", async () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  const { one, two, order } = await collide(store, "skip");
  assert.deepEqual(order, ["r1 begins", "r1 ends"]);
  assert.equal(resultOf(one).state.result, "succeeded");
  const { state } = resultOf(two);
  assert.deepEqual([state.result, state.exitCode], ["succeeded", 0]);
  assert.equal(
    state.steps.get("a")?.reason,
    'concurrency group "train-x" is taken by run r1',
  );
  assert.equal(state.skipped, 'concurrency group "train-x" is taken by run r1');
});

Deno.test("concurrency fail: the second run is refused with exit code 5, and leaves nothing", async () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  const { one, two } = await collide(store, "fail");
  assert.equal(resultOf(one).state.result, "succeeded");
  assert.equal(two.status, "rejected");
  assert.deepEqual(
    two.status === "rejected" && [two.reason.code, two.reason.exitCode, two.reason.hint],
    ["conflict", 5, "wait for it, or end it: grid cancel r1"],
  );
  assert.equal(store.isAlive("r2"), false);
  assert.deepEqual(store.runs().map(({ run }) => run), ["r1"]);
});

Deno.test("concurrency cancel-oldest: the first run ends, the second takes its place", async () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  const { one, two, order } = await collide(store, "cancel-oldest", untilStopped());
  assert.deepEqual(order, ["r1 begins", "r1 ends", "r2 begins", "r2 ends"]);
  const first = resultOf(one).state;
  assert.deepEqual([first.result, first.exitCode], ["cancelled", 130]);
  assert.equal(first.steps.get("a")?.reason, 'run r2 took its place in group "train-x"');
  assert.equal(resultOf(two).state.result, "succeeded");
});

Deno.test("a run that is cancelled while it waits for its turn ends at once", async () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  const stop = new AbortController();
  store.enter("other");
  store.join("other", { group: "g", max: 1 });
  const clock = new FakeClock(0);
  const concurrency = { group: parseText("g"), max: 1, onConflict: "queue" as const };
  const running = runFake(pipeline([step("a")], { concurrency }), {
    clock,
    signal: stop.signal,
    ports: { registry: store },
  });
  await clock.advance(2000);
  stop.abort(interrupted());
  const { state } = await running;
  assert.deepEqual(states(state), { a: "cancelled" });
  assert.equal(state.exitCode, 130);
});

Deno.test("another process can cancel a run; the run ends within seconds and says who", async () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  const clock = new FakeClock(0);
  const { state } = await runFake(pipeline([step("a")]), {
    run: "r1",
    clock,
    ports: { registry: store },
    steps: {
      a: (request, host) => {
        assert.equal(store.requestCancel("r1", "cancelled by ann"), true);
        return untilStopped()(request, host);
      },
    },
  });
  assert.equal(state.steps.get("a")?.reason, "cancelled by ann");
  assert.deepEqual([state.result, state.exitCode], ["cancelled", 130]);
  assert.ok(clock.now() < 3000);
  assert.equal(store.isAlive("r1"), false, "the run left the registry");
});

Deno.test("a run that is still alive cannot be resumed", async () => {
  using dir = tempDir();
  using store = openStore(join(dir.path, "grid.db"));
  const first = await runFake(pipeline([step("a")]), { run: "r1" });
  store.enter("r1");
  await assert.rejects(
    runFake(pipeline([step("a")]), {
      run: "r2",
      resume: first.state,
      ports: { registry: store },
    }),
    { code: "conflict", message: "Cannot resume run r1: it still runs" },
  );
});
