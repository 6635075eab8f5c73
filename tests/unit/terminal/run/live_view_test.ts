import assert from "node:assert/strict";
import { createTerminal } from "../../../../src/terminal/terminal.ts";
import { FakeClock } from "../../../support/fake_clock.ts";
import { assertGolden } from "../../../support/golden.ts";
import { START, succeededRun } from "../../../support/sample_runs.ts";
import { screenAfter } from "../../../support/screen.ts";
import { feed } from "../../../support/reader_feed.ts";

/** Lets the lazily loaded painter arrive. */
async function settle(clock: FakeClock): Promise<void> {
  for (let round = 0; round < 400 && clock.sleeps.length === 0; round++) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.ok(clock.sleeps.length > 0, "the painter never came");
}

function liveTerminal(clock: FakeClock) {
  const written: string[] = [];
  const terminal = createTerminal({
    stderr: (text) => written.push(text),
    stdout: () => assert.fail("nothing belongs on stdout"),
    isTerminal: true,
    color: false,
    width: () => 80,
    height: () => 24,
    mode: "pretty",
    clock,
  });
  const screen = () => screenAfter(written.join("")).join("\n");
  return { terminal, written, screen };
}

Deno.test("live view: draws over itself, then leaves only the summary", async () => {
  const clock = new FakeClock(START);
  const { terminal, screen } = liveTerminal(clock);
  const show = feed(terminal);
  let painted = false;
  for (const event of succeededRun()) {
    await clock.advance(Math.max(0, event.at - clock.now()));
    show(event);
    if (!painted) await settle(clock);
    painted = true;
    await clock.advance(100);
    assert.equal(screen().match(/^train · 2026/gm)?.length, 1, screen());
  }
  await terminal.close();
  assertGolden("terminal/screen_at_end.txt", screen());
});

Deno.test("live view: paints ten times a second at most, and once a second without news", async () => {
  const clock = new FakeClock(START);
  const { terminal, written } = liveTerminal(clock);
  const show = feed(terminal);
  for (const event of succeededRun().slice(0, 16)) show(event);
  await settle(clock);
  const first = written.length;
  for (let tick = 0; tick < 50; tick++) await clock.advance(100);
  assert.equal(written.length - first, 5);
  await terminal.close();
});

Deno.test("live view: a warning and words from elsewhere stay above the picture", async () => {
  const clock = new FakeClock(START);
  const { terminal, screen } = liveTerminal(clock);
  const show = feed(terminal);
  for (const event of succeededRun().slice(0, 16)) show(event);
  await settle(clock);
  await clock.advance(100);
  show({ type: "warned", at: START, message: "disk is nearly full" });
  terminal.print("12:00:00 debug ssh: hello\n");
  await clock.advance(100);
  assert.match(screen(), /^warning: disk is nearly full\n12:00:00 debug ssh: hello\ntrain · /);
  await terminal.close();
});

Deno.test("live view: a run that is over before the painter came is summed up all the same", async () => {
  const { terminal, screen } = liveTerminal(new FakeClock(START));
  const show = feed(terminal);
  for (const event of succeededRun()) show(event);
  await terminal.close();
  assert.match(screen(), /✔ train succeeded/);
});

Deno.test("live view: a long warning goes on in the next line, at a word", async () => {
  const clock = new FakeClock(START);
  const { terminal, screen } = liveTerminal(clock);
  const show = feed(terminal);
  for (const event of succeededRun().slice(0, 16)) show(event);
  await settle(clock);
  await clock.advance(100);
  const message = `waits in concurrency group "training" for ${"20260131-120000-x7k2, ".repeat(3)}`;
  show({ type: "warned", at: START, message });
  await clock.advance(100);
  const [first, second] = screen().split("\n");
  assert.equal(first, 'warning: waits in concurrency group "training" for 20260131-120000-x7k2,');
  assert.equal(second, "  20260131-120000-x7k2, 20260131-120000-x7k2,");
  await terminal.close();
});
