import assert from "node:assert/strict";
import { aheadMs, homeTimed } from "../../../../src/cli/submitted/home_time.ts";
import { runStarted } from "../../../support/events.ts";

Deno.test("a node's clock counts as wrong from two seconds on, in whole seconds", () => {
  assert.equal(aheadMs(10_000, 10_300), 0);
  assert.equal(aheadMs(11_400, 10_000), 0);
  assert.equal(aheadMs(7_210_400, 10_000), 7_200_000);
  assert.equal(aheadMs(10_000, 7_209_900), -7_200_000);
});

Deno.test("all times of an event come home, and none before time began", () => {
  const event = { ...runStarted("20260101-000000-aaaa"), at: 5000 };
  assert.equal(homeTimed(event, 0), event);
  assert.equal(homeTimed(event, 2000).at, 3000);
  assert.equal(homeTimed(event, 9000).at, 0);
  const takenOver = { run: "20260101-000000-aaaa", job: "j", since: 4000 };
  const started = { type: "step.started", at: 5000, step: "a", takenOver } as const;
  assert.deepEqual(homeTimed(started, 3000), {
    ...started,
    at: 2000,
    takenOver: { ...takenOver, since: 1000 },
  });
});
