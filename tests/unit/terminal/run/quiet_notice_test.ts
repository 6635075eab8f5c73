import assert from "node:assert/strict";
import { replay } from "../../../../src/engine/reduce.ts";
import { QuietNotice } from "../../../../src/terminal/run/quiet_notice.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { START, succeededRun } from "../../../support/sample_runs.ts";

Deno.test("QuietNotice says after five quiet minutes what still runs, and nothing of a run that talks", async () => {
  const clock = new FakeClock(START);
  const printed: string[] = [];
  const heartbeat = new QuietNotice({ clock, print: (text) => printed.push(text) });
  const state = replay(succeededRun().slice(0, 16));
  assert.ok(state);
  heartbeat.event(state);
  await clock.advance(4 * 60_000);
  heartbeat.heard();
  await clock.advance(4 * 60_000);
  assert.deepEqual(printed, []);
  await clock.advance(60_000);
  assert.equal(printed.length, 1);
  assert.match(printed[0] ?? "", /^still running: train for (8m 59s|9m 00s)\n$/);
  await clock.advance(5 * 60_000);
  assert.equal(printed.length, 2);
  await heartbeat.end();
  await clock.advance(60 * 60_000);
  assert.equal(printed.length, 2);
});

Deno.test("QuietNotice ends where no run began", async () => {
  await new QuietNotice({ clock: new FakeClock(START), print: () => {} }).end();
});
