import assert from "node:assert/strict";
import type { Event } from "../../../src/engine/event.ts";
import { replay } from "../../../src/engine/state.ts";
import { renderGantt } from "../../../src/report/gantt.ts";
import { renderHtml } from "../../../src/report/html.ts";
import { runDocument } from "../../../src/report/document_writer.ts";
import type { RunDocument } from "../../../src/report/run_document.ts";
import { testWith } from "../../support/requires.ts";
import { failedRun, longRun, succeededRun } from "../../support/sample_runs.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { findProgram } from "../../support/requires.ts";

function documentOf(events: readonly Event[]): RunDocument {
  const state = replay(events);
  assert.ok(state);
  const logOf = (step: string, attempt: number) => `logs/${step}.${attempt}.log`;
  return runDocument(state, { logOf, transports: [] });
}

interface Bar {
  readonly result: string;
  readonly x: number;
  readonly width: number;
}

function barsOf(svg: string): Bar[] {
  return [...svg.matchAll(/class="bar (\S+)" x="([\d.]+)" y="\d+" width="([\d.]+)"/g)]
    .map(([, result = "", x, width]) => ({ result, x: Number(x), width: Number(width) }));
}

Deno.test("renderGantt() draws one bar per attempt, in proportion", () => {
  const bars = barsOf(renderGantt(documentOf(succeededRun())));
  assert.deepEqual(bars.map(({ result }) => result), [
    "succeeded",
    "succeeded",
    "failed",
    "succeeded",
    "succeeded",
    "succeeded",
  ]);
  const [, , first, second] = bars;
  assert.ok(first && second);
  // Three seconds and a minute.
  assert.ok(Math.abs(second.width / first.width - 20) < 1, `${second.width} / ${first.width}`);
  assert.ok(first.x + first.width < second.x);
});

Deno.test("renderGantt() shows also what took no time, within the drawing", () => {
  for (const bar of barsOf(renderGantt(documentOf(longRun(200))))) {
    assert.ok(bar.width >= 2);
    assert.ok(bar.x + bar.width <= 1000);
  }
});

Deno.test("renderGantt() of a run that did nothing is nothing", () => {
  assert.equal(renderGantt(documentOf(succeededRun().slice(0, 1))), "");
});

Deno.test("renderGantt() marks any length of time with a handful of marks", () => {
  const [started, ...rest] = documentOf(longRun(1)).steps;
  assert.ok(started && rest.length === 0);
  for (let ms = 1; ms < 1e10; ms *= 7) {
    const document = documentOf(longRun(1));
    const start = Date.parse(document.startedAt);
    const attempts = started.attempts.map((attempt) => ({
      ...attempt,
      startedAt: document.startedAt,
      finishedAt: new Date(start + ms).toISOString(),
    }));
    const svg = renderGantt({ ...document, steps: [{ ...started, attempts }] });
    const marks = svg.match(/class="mark"/g)?.length ?? 0;
    assert.ok(marks >= 1 && marks <= 20, `${ms} ms: ${marks} marks`);
  }
});

Deno.test("renderHtml() links every log and names what to type after a failure", () => {
  const html = renderHtml(documentOf(failedRun()), { tail: () => ["last words"], graph: "" });
  for (const step of ["code", "gpu", "train", "notify"]) {
    assert.ok(html.includes(`href="logs/${step}.1.log"`), step);
  }
  assert.match(html, /grid resume 20260131-120000-x7k2/);
  assert.match(html, /<pre>last words<\/pre>/);
});

Deno.test("renderHtml() of a good run has no failure, of a bare command no resume", () => {
  const html = renderHtml(documentOf(succeededRun()), { tail: () => [], graph: "" });
  assert.doesNotMatch(html, /First failure/);
  const bare = { ...documentOf(failedRun()), file: "" };
  assert.doesNotMatch(renderHtml(bare, { tail: () => [], graph: "" }), /grid resume/);
});

Deno.test("renderHtml() tells of further failures, with what they printed, and leaves out the rest", () => {
  const long = documentOf(longRun(40));
  const failure = {
    ...{ code: "exit", message: "it exited with code 1", hint: null, node: "local", exitCode: 1 },
    ...{ signal: null, started: true },
  };
  const steps = long.steps.map((step, at) =>
    at < 10 ? step : { ...step, state: "failed" as const, failure }
  );
  const report = { ...long, steps, result: "failed" as const, firstFailure: "step-11" };
  const html = renderHtml(report, { tail: (step) => [`words of ${step}`], graph: "" });
  assert.match(html, /<h2>First failure: step-11 on local<\/h2>/);
  assert.match(html, /<h2>Failed after that<\/h2>\n<ul>\n<li><b>step-12<\/b> on local: it exited/);
  const others = html.match(/<details>.*<pre>words of step-\d+<\/pre>/g) ?? [];
  assert.equal(others.length, 20);
  assert.match(html, /… and 9 more/);
});

Deno.test("renderHtml() names the nodes that a step synced to, and leads to the run it resumes", () => {
  const report = { ...documentOf(succeededRun()), resumes: "20260130-120000-aaaa" };
  const html = renderHtml(report, { tail: () => [], graph: "" });
  assert.match(html, /<tr id="code">.*<td>gpu1, gpu3<\/td>/);
  assert.match(html, /<a href="\.\.\/20260130-120000-aaaa\/report\.html">20260130-120000-aaaa</);
});

testWith(["chromium"], "report.html opens in a browser without a network", async () => {
  using dir = tempDir();
  const page = `${dir.path}/report.html`;
  const html = renderHtml(documentOf(failedRun()), { tail: () => ["x < y"], graph: "" });
  Deno.writeTextFileSync(page, html);
  const { stdout } = await new Deno.Command(findProgram("chromium") ?? "chromium", {
    args: [
      "--headless",
      "--no-sandbox",
      "--disable-gpu",
      "--disable-background-networking",
      "--no-first-run",
      `--user-data-dir=${dir.path}/profile`,
      "--dump-dom",
      `file://${page}`,
    ],
    stdout: "piped",
    stderr: "null",
  }).output();
  const dom = new TextDecoder().decode(stdout);
  assert.match(dom, /<title>train failed · 20260131-120000-x7k2<\/title>/);
  assert.match(dom, /<pre>x &lt; y<\/pre>/);
  assert.equal(dom.match(/<rect class="bar/g)?.length, 4);
});
