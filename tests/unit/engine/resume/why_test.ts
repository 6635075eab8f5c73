import assert from "node:assert/strict";
import { why, whyHint, whyRun } from "../../../../src/engine/resume/why.ts";
import { replay } from "../../../../src/engine/reduce.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import {
  type Behaviour,
  fail,
  inTurn,
  makeFailure,
  runFake,
  succeed,
  takes,
  untilStopped,
} from "../../../support/fake_engine.ts";
import { pipeline, step } from "../../../support/pipelines.ts";

Deno.test("why() says in one line what became of each step", async () => {
  const steps = [
    step("ok"),
    step("broken"),
    step("next", { needs: ["broken"] }),
    step("lint", { allowFailure: true }),
    step("slow", { timeout: { attemptMs: 2000 } }),
    step("flaky", { retry: { max: 2, on: ["any"], delayMs: 1000 } }),
  ];
  const { state } = await runFake(pipeline(steps), {
    steps: {
      ok: (request, host) => {
        host.note({ type: "node.chosen", node: "n1" });
        return takes(4200)(request, host);
      },
      broken: fail(),
      lint: fail({ message: "exit code 2" }),
      slow: untilStopped(),
      flaky: inTurn((_, host) => {
        host.note({ type: "node.chosen", node: "n2" });
        return { status: "failed", failure: makeFailure({ message: "exit code 75" }) };
      }, succeed()),
    },
  });
  assert.match(why(state, "ok"), /^ok ran on n1 and succeeded after 4\.\ds$/);
  assert.equal(
    why(state, "broken"),
    "broken failed after 0ms: exit code 1; not retried, because exit code 1 is none of retry: { on: [transport] }",
  );
  assert.equal(why(state, "next"), 'next was skipped: it needs "broken", which failed');
  assert.equal(why(state, "lint"), "lint failed, which allow-failure permits: exit code 2");
  assert.match(
    why(state, "slow"),
    /^slow timed out after 2\.0s: .*took longer than 2\.0s; not retried, because timed-out is none of/,
  );
  assert.match(
    why(state, "flaky"),
    /^flaky ran on n2 and succeeded after 1\.0s; attempt 2, after "exit code 75" on n2 \(waited 1\.0s\)$/,
  );
});

Deno.test("why() says of a place in line how long ago it was so", async () => {
  const message = "first in line for 2 GPUs on g1: GPU 0 is held by a job of ada (for 3.0s)";
  const { events } = await runFake(pipeline([step("a")]), {
    steps: {
      a: (_, host) => {
        host.note({ type: "warned", message });
        return succeed()(_, host);
      },
    },
  });
  const waiting = replay(events.slice(0, events.findIndex(({ type }) => type === "warned") + 1));
  assert.ok(waiting);
  const after = (ms: number | undefined) =>
    why(waiting, "a", { underWay: true, saidAgoMs: (...said) => said[1] === message ? ms : -1 });
  assert.equal(after(undefined), `a waits: ${message}`);
  assert.equal(after(4000), `a waits: ${message}`);
  assert.equal(after(600_400), `a waits: ${message}; so it was 10m 00s ago, now: grid queue`);
});

Deno.test("whyHint() is what the failure that is told of says to do", async () => {
  const { state } = await runFake(
    pipeline([step("ok"), step("bad"), step("lint", { allowFailure: true })]),
    {
      steps: {
        bad: fail({ message: "exit code 126", hint: "chmod +x it" }),
        lint: fail({ message: "exit code 2", hint: "nobody minds" }),
      },
    },
  );
  assert.equal(whyHint(state, "bad"), "chmod +x it");
  assert.equal(whyHint(state), "chmod +x it", "of the run: that of its first failure");
  assert.equal(whyHint(state, "ok"), undefined);
  assert.equal(whyHint(state, "lint"), undefined);
});

Deno.test("why() says what a step waits for, and that a dead run never came to it", async () => {
  const steps = [step("a"), step("b", { needs: ["a"] })];
  const { events, state } = await runFake(pipeline(steps));
  const during = replay(events.slice(0, 3));
  assert.ok(during);
  assert.equal(why(during, "a"), "a runs");
  assert.equal(why(during, "b"), "b has not started: it waits for a");
  assert.equal(
    why({ ...during, result: "cancelled" }, "b"),
    "b has not started: the run ended before its turn",
  );
  assert.equal(why(during, "a", { underWay: false }), "a runs, as far as its run could see");
  assert.match(why(state, "b"), /^b ran and succeeded/);
});

Deno.test("whyRun() tells the first failure, or what a run does and waits for", async () => {
  const failed = await runFake(pipeline([step("a"), step("bad"), step("c", { needs: ["bad"] })]), {
    steps: { bad: fail() },
  });
  assert.equal(whyRun(failed.state), why(failed.state, "bad"));
  const fine = await runFake(pipeline([step("a"), step("b", { needs: ["a"] })]), { run: "r1" });
  assert.equal(whyRun(fine.state), "run r1 succeeded: no step of it failed");
  const during = replay(fine.events.slice(0, 3));
  assert.ok(during);
  assert.equal(whyRun(during), "a runs");
  assert.equal(
    whyRun(during, { underWay: false }),
    "run r1 stands still: its runner is gone; grid resume r1 goes on with it",
  );
  const before = replay(fine.events.slice(0, 1));
  assert.ok(before);
  assert.equal(whyRun(before), "a has not started: it waits for its turn");
});

Deno.test("why() names all nodes of a step on many", async () => {
  const { state } = await runFake(pipeline([step("all")]), {
    steps: {
      all: (_, host) => {
        for (const rank of [0, 1, 2]) host.note({ type: "node.chosen", node: `n${rank}`, rank });
        return { status: "succeeded", outputs: {} };
      },
    },
  });
  assert.match(why(state, "all"), /^all ran on n0, n1 and n2 and succeeded after /);
});

Deno.test("why() gives the reason of a reused step, and names the nearest step", async () => {
  const first = await runFake(pipeline([step("train")]), { run: "r1" });
  const { state } = await runFake(pipeline([step("train")]), { run: "r2", resume: first.state });
  assert.equal(
    why(state, "train"),
    "train was reused: it finished in run r1 and nothing about it changed",
  );
  assert.throws(() => why(state, "trian"), { code: "usage", hint: 'did you mean "train"?' });
});

Deno.test("why() says why a resumed run did a step again", async () => {
  const first = await runFake(pipeline([step("a")]), { run: "r1", steps: { a: fail() } });
  const { state } = await runFake(pipeline([step("a")]), { run: "r2", resume: first.state });
  assert.equal(why(state, "a"), "a ran and succeeded after 0ms; done because it failed in run r1");
});

Deno.test("why() says what let a step run after a failure", async () => {
  const steps = [
    step("a"),
    step("b", { needs: ["a"] }),
    step("c", { needs: ["b"] }),
    step("late", { after: ["a"] }),
    step("later", { after: ["c"] }),
    step("tell", { needs: ["a"], if: "failure()" }),
    step("clean", { after: ["c"], if: "always()" }),
    step("alone", { if: "always()" }),
  ];
  const hooks = { success: [], failure: [step("mail")], exit: [] };
  const { state } = await runFake(pipeline(steps, { hooks }), { steps: { a: fail() } });
  const told = Object.fromEntries([...state.steps.keys()].map((id) => [id, why(state, id)]));
  assert.deepEqual(told, {
    a: "a failed after 0ms: exit code 1; not retried, because exit code 1 is none of retry: { on: [transport] }",
    b: 'b was skipped: it needs "a", which failed',
    c: 'c was skipped: it needs "b", which did not run because "a" failed',
    late: "late ran and succeeded after 0ms; " +
      'it ran after "a" failed: it only waits for the end, whatever the result',
    later: "later ran and succeeded after 0ms; " +
      'it ran after "a" failed: it only waits for the end, whatever the result',
    tell: "tell ran and succeeded after 0ms; " +
      'it ran after "a" failed: its condition is true: failure()',
    clean: "clean ran and succeeded after 0ms; " +
      'it ran after "a" failed: its condition is true: always()',
    alone: "alone ran and succeeded after 0ms; its condition is true: always()",
    mail: 'mail ran and succeeded after 0ms; it is a hook for failure, and "a" failed first',
  });
});

Deno.test("why() says that a job was taken over, from which run, and how long it took", async () => {
  const job: Behaviour = async (request, host) => {
    host.note({ type: "node.chosen", node: "n1" });
    host.note({ type: "job.started", node: "n1", job: "job-1" });
    return await takes(1000)(request, host);
  };
  const clock = new FakeClock();
  const steps = { steps: { a: job }, clock };
  const first = await runFake(pipeline([step("a")]), { run: "r1", ...steps });
  const killed = replay(
    first.events.slice(0, first.events.findIndex(({ type }) => type === "job.started") + 1),
  );
  assert.ok(killed);
  const lost = await runFake(pipeline([step("a")]), { run: "r2", resume: killed, ...steps });
  const died = replay(
    lost.events.slice(0, lost.events.findIndex(({ type }) => type === "job.started") + 1),
  );
  assert.ok(died);
  const { state } = await runFake(pipeline([step("a")]), { run: "r3", resume: died, ...steps });
  assert.match(
    why(state, "a"),
    /^a ran on n1 and succeeded after 1\.\ds; its job was taken over from run r1, which started it, 3\.\ds before its end was seen$/,
  );
});
