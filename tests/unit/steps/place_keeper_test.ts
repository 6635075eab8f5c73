import assert from "node:assert/strict";
import type { Event } from "../../../src/engine/event.ts";
import { reduce } from "../../../src/engine/reduce.ts";
import { createPlaceKeeper } from "../../../src/steps/place_keeper.ts";

const STARTED: Event = {
  type: "run.started",
  at: 0,
  run: "r1",
  pipeline: "p",
  file: "p.yaml",
  project: "/p",
  inputs: {},
  steps: [
    { id: "gpu", kind: "select-node", needs: [], after: [] },
    { id: "train", kind: "run", needs: ["gpu"], after: [] },
  ],
  gridVersion: "0",
};

function finished(step: string, attempt: number): Event {
  return { type: "attempt.finished", at: 1, step, attempt, result: "succeeded" };
}

Deno.test("a place is given back with its attempt, the chosen node's with the run", () => {
  const released: string[] = [];
  const keeper = createPlaceKeeper({
    release: (holder) => void released.push(holder),
    releaseAll: (run) => void released.push(`all of ${run}`),
  });
  const state = reduce(undefined, STARTED);
  for (const event of [STARTED, finished("gpu", 1), finished("train", 1), finished("train", 2)]) {
    keeper.event(event, state);
  }
  assert.deepEqual(released, ["r1 train 1", "r1 train 2"]);
  void keeper.close?.();
  assert.deepEqual(released.at(-1), "all of r1");
});
