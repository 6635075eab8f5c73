import assert from "node:assert/strict";
import type { Event } from "../../../src/engine/event.ts";
import { replay } from "../../../src/engine/reduce.ts";
import { runDocument } from "../../../src/report/document_writer.ts";
import { drawBars, renderAxis } from "../../../src/report/gantt.ts";
import { anchorsOf } from "../../../src/report/html_parts.ts";
import { renderSlow, slowSentence } from "../../../src/report/html_slow.ts";
import type { RunDocument } from "../../../src/report/run_document.ts";
import { timingOf } from "../../../src/report/timing.ts";
import { sweepRun } from "../../support/page_runs.ts";
import { failedRun, longRun, succeededRun } from "../../support/sample_runs.ts";

function documentOf(events: readonly Event[]): RunDocument {
  const state = replay(events);
  assert.ok(state);
  return runDocument(state, { logOf: () => null, transports: [] });
}

function phasesOf(report: RunDocument, id: string) {
  const step = report.steps.find((step) => step.id === id);
  assert.ok(step);
  return timingOf(report).phasesOf(step).map(({ kind, from, to }) => [kind, from, to]);
}

Deno.test("timingOf() tells waiting from working, attempt by attempt", () => {
  const report = documentOf(succeededRun());
  assert.deepEqual(phasesOf(report, "code"), [["queue", 0, 10], ["sync", 10, 460]]);
  assert.deepEqual(phasesOf(report, "gpu"), [["queue", 0, 12], ["node", 12, 251]]);
  assert.deepEqual(phasesOf(report, "train"), [
    ["queue", 460, 470],
    ["node", 470, 480],
    ["run", 480, 3_470],
    ["retry", 3_470, 5_000],
    ["node", 5_000, 5_010],
    ["run", 5_010, 65_000],
  ]);
  assert.deepEqual(phasesOf(report, "model").at(-1), ["fetch", 65_015, 65_310]);
  assert.deepEqual(phasesOf(report, "notify"), []);
});

Deno.test("timingOf() follows back what was waited for, through groups and hooks", () => {
  const ids = (report: RunDocument) => timingOf(report).path.map(({ step }) => step.id);
  assert.deepEqual(ids(documentOf(succeededRun())), ["code", "train", "score"]);
  assert.deepEqual(ids(documentOf(failedRun())), ["code", "train", "notify"]);
  assert.deepEqual(ids(documentOf(sweepRun())), ["try[lr=0.001,optimizer=sgd,seed=2]"]);
  assert.equal(ids(documentOf(longRun(300))).length, 300);
});

Deno.test("timingOf() of a run under way goes to now, of one that did nothing has nothing", () => {
  const events = succeededRun();
  const second = events.findIndex(({ type }) => type === "warned");
  const report = documentOf(events.slice(0, second));
  const { lengthMs, path } = timingOf(report, { nowMs: 60_000 });
  assert.equal(lengthMs, 60_000);
  assert.equal(path.at(-1)?.phases.at(-1)?.to, 60_000);
  const waiting = documentOf(events.slice(0, second - 3));
  assert.equal(timingOf(waiting, { nowMs: 4_000 }).path.at(-1)?.phases.at(-1)?.kind, "retry");
  const empty = documentOf(succeededRun().slice(0, 1));
  assert.deepEqual(timingOf(empty).path, []);
});

Deno.test("timingOf() never has phases that overlap or run backwards, though a clock was set", () => {
  const events = succeededRun().map((event) =>
    event.type === "node.chosen" ? { ...event, at: event.at + 10_000_000 } : event
  );
  const report = documentOf(events);
  for (const step of report.steps) {
    let at = 0;
    for (const { from, to } of timingOf(report).phasesOf(step)) {
      assert.ok(from >= at && to > from, `${step.id}: ${from} to ${to} after ${at}`);
      at = to;
    }
  }
});

Deno.test("slowSentence() names what took longest first", () => {
  const sentence = (events: readonly Event[]) => {
    const report = documentOf(events);
    return slowSentence(report, timingOf(report));
  };
  assert.equal(
    sentence(succeededRun()),
    "Of 1m 06s, 1m 04s went into running train and 1.5s into waiting to try it again.",
  );
  assert.equal(
    sentence(sweepRun()),
    "Of 1m 02s, 42.2s went into the queue before try[lr=0.001,optimizer=sgd,seed=2] and 19.7s " +
      "into running it.",
  );
  assert.equal(sentence(succeededRun().slice(0, 1)), "");
});

Deno.test("renderSlow() lists the longest of a long way, with links", () => {
  const report = documentOf(longRun(300));
  const markup = renderSlow(report, { timing: timingOf(report), anchorOf: anchorsOf(report) });
  assert.equal(markup.match(/<li>/g)?.length, 8);
  assert.match(markup, /300 steps<.*href="#s2".*and 292 shorter ones/s);
});

interface Bar {
  readonly kind: string;
  readonly x: number;
  readonly width: number;
}

function barsOf(report: RunDocument, id: string): Bar[] {
  const step = report.steps.find((step) => step.id === id);
  assert.ok(step);
  const svg = drawBars(timingOf(report)).of(step);
  return [...svg.matchAll(/class="([^"]+)" x="([\d.]+)%" width="([\d.]+)%"/g)]
    .map(([, kind = "", x, width]) => ({ kind, x: Number(x), width: Number(width) }));
}

Deno.test("drawBars() draws work and waits in proportion", () => {
  const bars = barsOf(documentOf(succeededRun()), "train");
  assert.deepEqual(bars.map(({ kind }) => kind), ["run failed", "retry", "run succeeded"]);
  const [first, , second] = bars;
  assert.ok(first && second);
  // Three seconds and a minute.
  assert.ok(Math.abs(second.width / first.width - 20) < 1, `${second.width} / ${first.width}`);
});

Deno.test("drawBars() shows also what took no time, within the drawing", () => {
  const report = documentOf(longRun(200));
  for (const { id } of report.steps.slice(-10)) {
    const bars = barsOf(report, id);
    assert.ok(bars.length > 0);
    for (const { x, width } of bars) assert.ok(width >= 0.4 && x + width <= 100.02);
  }
});

Deno.test("drawBars() draws a group as long as its members", () => {
  const [bar, ...more] = barsOf(documentOf(sweepRun()), "try");
  assert.ok(bar && more.length === 0 && bar.width > 95, JSON.stringify(bar));
});

Deno.test("drawBars() explains what is drawn and nothing else", () => {
  const legend = (report: RunDocument) => {
    const bars = drawBars(timingOf(report, { nowMs: 86_400_000 }));
    for (const step of report.steps) bars.of(step);
    return [...bars.legend().matchAll(/<\/i>([^<]+)/g)].map(([, word]) => word);
  };
  assert.deepEqual(legend(documentOf(sweepRun())), ["queue", "node wait", "run"]);
  assert.deepEqual(legend(documentOf(succeededRun())), [
    ...["node wait", "sync", "fetch", "run", "retry wait"],
  ]);
  const begun = succeededRun().findIndex((event) =>
    event.type === "job.started" && event.step === "train"
  );
  const underWay = legend(documentOf(succeededRun().slice(0, begun + 1)));
  assert.equal(underWay.at(-1), "running now");
});

Deno.test("renderAxis() marks any length of time with a handful of marks", () => {
  for (let ms = 1; ms < 1e10; ms *= 7) {
    const svg = renderAxis({ lengthMs: ms, phasesOf: () => [], path: [] });
    const marks = svg.match(/<text /g)?.length ?? 0;
    assert.ok(marks >= 1 && marks <= 20, `${ms} ms: ${marks} marks`);
  }
});
