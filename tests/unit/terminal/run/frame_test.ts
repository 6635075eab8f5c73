import assert from "node:assert/strict";
import { replay } from "../../../../src/engine/reduce.ts";
import type { Event } from "../../../../src/engine/event.ts";
import { renderFrame } from "../../../../src/terminal/run/frame.ts";
import { createPaint } from "../../../../src/terminal/style.ts";
import { displayWidth } from "../../../../src/terminal/width.ts";
import { assertGolden } from "../../../support/golden.ts";
import { failedRun, longRun, START, succeededRun } from "../../../support/sample_runs.ts";

function frameAt(
  events: readonly Event[],
  at: number,
  size: { readonly width?: number; readonly height?: number; readonly color?: boolean } = {},
): string {
  const state = replay(events.filter((event) => event.at <= at));
  assert.ok(state);
  return renderFrame(state, {
    now: at,
    width: size.width ?? 80,
    height: size.height ?? 24,
    paint: createPaint(size.color ?? false),
    lastLine: (step) => step === "train" ? "epoch 3\tloss 0.12 \x1b[2J\x1b[31mred" : undefined,
  });
}

Deno.test("renderFrame() shows what runs, what is done and what waits", () => {
  const during = frameAt(succeededRun(), START + 30_000);
  const waiting = frameAt(succeededRun(), START + 4_000);
  const batch = frameAt(succeededRun(), START + 65_300);
  assertGolden("terminal/frame.txt", [during, waiting, batch].join("\n\n") + "\n");
});

Deno.test("renderFrame() uses the room of a wide terminal and bears a narrow one", () => {
  const wide = frameAt(failedRun(), START + 9_600, { width: 120 });
  const narrow = frameAt(failedRun(), START + 9_600, { width: 40 });
  assertGolden("terminal/frame_widths.txt", `${wide}\n\n${narrow}\n`);
  for (const line of narrow.split("\n")) assert.ok(displayWidth(line) <= 40, line);
});

Deno.test("renderFrame() never has a line wider than the terminal", () => {
  for (let width = 30; width <= 130; width += 7) {
    for (const at of [10, 300, 4_000, 30_000, 65_300]) {
      for (const line of frameAt(succeededRun(), START + at, { width, color: true }).split("\n")) {
        assert.ok(displayWidth(line) <= width, `${width}: ${line}`);
      }
    }
  }
});

Deno.test("renderFrame() of a thousand steps fits the terminal and keeps what runs", () => {
  const lines = frameAt(longRun(1000), START + 1500, { height: 12 }).split("\n");
  assert.ok(lines.length <= 12, String(lines.length));
  assert.ok(lines.some((line) => line.startsWith("▸ step-501 ")), lines.join("\n"));
  assert.match(lines.at(-1) ?? "", /… 99\d more steps/);
});

Deno.test("renderFrame() never gives two cells of a matrix the same name", () => {
  const ids = ["0.0001", "0.0003"].flatMap((rate) =>
    ["adamw", "sgd"].map((name) => `c[learning_rate=${rate},batch_size=16,optimizer=${name}]`)
  );
  const [started] = longRun(1);
  assert.ok(started?.type === "run.started");
  const steps = ids.map((id) => ({ id, kind: "run" as const, needs: [], after: [] }));
  for (let width = 30; width <= 120; width += 10) {
    const text = frameAt([{ ...started, steps }], START, { width });
    const names = [...text.matchAll(/^· (\S+)/gm)].map(([, name]) => name);
    assert.equal(new Set(names).size, ids.length, text);
    // A step that stands alone in view is still called the same.
    const alone = frameAt([{ ...started, steps }], START, { width, height: 5 });
    assert.match(alone, /more steps/);
    for (const [, name] of alone.matchAll(/^· (\S+)/gm)) assert.ok(names.includes(name), alone);
  }
});

Deno.test("renderFrame() says how much time is left by what is usual, until it takes longer", () => {
  const state = replay(succeededRun().slice(0, 16));
  assert.ok(state);
  const head = (passedMs: number, usualMs: number | undefined, width = 100) =>
    renderFrame(state, {
      now: state.startedAt + passedMs,
      width,
      height: 20,
      paint: createPaint(false),
      lastLine: () => undefined,
      usualMs,
    }).split("\n")[0] ?? "";
  assert.match(head(20_000, 80_000), /· 20\.0s · about 1m 00s left$/);
  assert.doesNotMatch(head(20_000, 80_000, 40), /left/);
  assert.doesNotMatch(head(90_000, 80_000), /left/);
  assert.doesNotMatch(head(20_000, undefined), /left/);
});
