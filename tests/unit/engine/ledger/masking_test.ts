import assert from "node:assert/strict";
import { createMasker } from "../../../../src/core/secret.ts";
import type { Event } from "../../../../src/engine/event.ts";
import { maskEvent } from "../../../../src/engine/ledger/masking.ts";
import { fail, makeFailure, runFake, states, succeed } from "../../../support/fake_engine.ts";
import { pipeline, step } from "../../../support/pipelines.ts";
import { runStarted, START_MS } from "../../../support/events.ts";

Deno.test("maskEvent() takes secrets out of everything that an event says", () => {
  const mask = createMasker(["hunter2"]).value;
  const at = START_MS;
  const events: readonly Event[] = [
    runStarted("r1", { inputs: { token: "hunter2" }, project: "/home/hunter2" }),
    { type: "warned", at, message: "with hunter2" },
    {
      type: "step.finished",
      at,
      step: "a",
      state: "failed",
      reason: "hunter2",
      outputs: { hunter2: ["hunter2"] },
      failure: makeFailure({ message: "curl -u hunter2", hint: "hunter2" }),
    },
    {
      type: "node.chosen",
      at,
      step: "a",
      attempt: 1,
      node: "n1",
      passedOver: [{ node: "n2", reason: "hunter2" }],
    },
  ];
  for (const event of events) {
    assert.ok(!JSON.stringify(maskEvent(event, mask)).includes("hunter2"), event.type);
  }
});

Deno.test("a secret that spells a word of Grid or the name of a step tears nothing apart", async () => {
  const mask = createMasker(["train", "started", "succeeded", "failed", "exit", "node1"]).value;
  const steps = [step("train"), step("trains", { needs: ["train"] }), step("bad")];
  const { state } = await runFake(pipeline(steps), {
    ports: { mask },
    steps: {
      train: (request, host) => {
        host.note({ type: "node.chosen", node: "node1" });
        host.note({ type: "job.started", node: "node1", job: "r-train-1" });
        return succeed({ text: "failed to train" })(request, host);
      },
      bad: fail({ message: "train failed" }),
    },
  });
  assert.deepEqual(states(state), { train: "succeeded", trains: "succeeded", bad: "failed" });
  const train = state.steps.get("train");
  assert.deepEqual([train?.node, train?.attempts[0]?.job], ["node1", "r-train-1"]);
  assert.deepEqual(train?.outputs, { text: "*** to ***" });
  assert.equal(state.steps.get("bad")?.failure?.message, "*** ***");
  assert.deepEqual([state.firstFailure, state.exitCode], ["bad", 1]);
});
