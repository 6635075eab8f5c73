import assert from "node:assert/strict";
import type { Event } from "../../../src/engine/event.ts";
import { replay } from "../../../src/engine/reduce.ts";
import { renderHtml } from "../../../src/report/html.ts";
import { runDocument } from "../../../src/report/document_writer.ts";
import type { RunDocument } from "../../../src/report/run_document.ts";
import { failedRun, longRun, succeededRun } from "../../support/sample_runs.ts";

function documentOf(events: readonly Event[]): RunDocument {
  const state = replay(events);
  assert.ok(state);
  const logOf = (step: string, attempt: number) => `logs/${step}.${attempt}.log`;
  return runDocument(state, { logOf, transports: [] });
}

Deno.test("renderHtml() links every log and names what to type after a failure", async () => {
  const html = await renderHtml(documentOf(failedRun()), { tail: () => ["last words"], graph: "" });
  for (const step of ["code", "gpu", "train", "notify"]) {
    assert.ok(html.includes(`href="logs/${step}.1.log"`), step);
  }
  assert.match(html, /grid resume 20260131-120000-x7k2/);
  assert.match(html, /<pre class="log"[^>]*>last words<\/pre>/);
});

Deno.test("renderHtml() of a good run has no failure, of a bare command no resume", async () => {
  const html = await renderHtml(documentOf(succeededRun()), { tail: () => [], graph: "" });
  assert.doesNotMatch(html, /First failure/);
  const bare = { ...documentOf(failedRun()), file: "" };
  assert.doesNotMatch(await renderHtml(bare, { tail: () => [], graph: "" }), /grid resume/);
});

Deno.test("renderHtml() tells what failed besides, the same once, and leaves out the rest", async () => {
  const long = documentOf(longRun(60));
  const failure = {
    ...{ code: "exit", message: "it exited with code 1", hint: null, node: "local", exitCode: 1 },
    ...{ signal: null, started: true },
  };
  const steps = long.steps.map((step, at) =>
    at < 10 ? step : { ...step, state: "failed" as const, failure }
  );
  const idsOf = (from: number, to: number) => steps.slice(from, to).map(({ id }) => id);
  const failureGroups = [
    { words: "exit code 1: one", steps: idsOf(10, 13) },
    { words: "exit code 1: <two>", steps: idsOf(13, 38) },
  ];
  const report = {
    ...long,
    ...{ steps, failureGroups, result: "failed" as const, firstFailure: "step-11" },
  };
  const html = await renderHtml(report, { tail: (step) => [`words of ${step}`], graph: "" });
  assert.match(html, /<h2[^>]*>First failure: <a href="#s11">step-11<\/a> on local<\/h2>/);
  const [, others = ""] = html.split("Failed after that");
  const [told = ""] = others.split("</section>");
  const items = told.match(/<li>.*?(?=<li>|<\/ul>\s*<p>|<\/ul>\s*$)/gs) ?? [];
  // Two groups, then those that stand in none, up to twenty entries.
  assert.equal(items.length, 20);
  assert.match(items[0] ?? "", /<b>2×<\/b> as the first: .*#s12.*#s13/);
  assert.match(
    items[1] ?? "",
    /<b>25× exit code 1: &lt;two&gt;<\/b>.*and 5 more.*words of step-14/s,
  );
  assert.match(items[2] ?? "", /step-39<\/a><\/b> on local: it exited with code 1/);
  assert.match(told, /… and 4 more kinds/);
});

Deno.test("renderHtml() names the nodes that a step synced to, and leads to the run it resumes", async () => {
  const report = { ...documentOf(succeededRun()), resumes: "20260130-120000-aaaa" };
  const html = await renderHtml(report, { tail: () => [], graph: "" });
  assert.match(html, /id="s1" [^]*?<b>code<\/b>[^]*?class="node">gpu1, gpu3</);
  assert.match(html, /<a href="\.\.\/20260130-120000-aaaa\/report\.html">20260130-120000-aaaa</);
});

Deno.test("renderHtml() tells what attempts used, and draws it for the longest of many", async () => {
  const usage = {
    ...{ cpuMs: 252_000, userMs: 250_000, systemMs: 2000, peakBytes: 3.1 * 2 ** 30 },
    ...{ gpuPeakBytes: null, gpuLoad: 81 },
    samples: {
      ...{ atMs: [1000, 2000], cpuMs: [500, 2500], memoryBytes: [10, 2 ** 20] },
      ...{ gpuBytes: null, gpuLoad: [40, null] },
    },
  };
  const long = documentOf(longRun(250));
  const steps = long.steps.map((step, at) => ({
    ...step,
    attempts: step.attempts.map((attempt) => ({ ...attempt, usage, durationMs: at })),
  }));
  const html = await renderHtml({ ...long, steps }, { tail: () => [], graph: "" });
  const told = html.match(/<div class="usage"><span>[^<]*/g) ?? [];
  assert.equal(told.length, 250);
  assert.match(told[0] ?? "", /peak 3\.1 GiB · cpu 4m 12s · gpu 81 %$/);
  const drawn = html.match(/aria-label="memory over 2\.0s: up to 1\.0 MiB"/g) ?? [];
  assert.equal(drawn.length, 200);
  assert.match(html, /aria-label="processors over 2\.0s: up to 2\.0 busy"/);
  // One look at the GPU is no line.
  assert.doesNotMatch(html, /aria-label="GPU/);
  const [, last = ""] = html.split('id="s250"');
  assert.match(last, /class="spark"/);
});

Deno.test("renderHtml() draws an allowed failure in the colour of its words, not in red", async () => {
  const report = documentOf(failedRun());
  const steps = report.steps.map((step) =>
    step.state === "failed" ? { ...step, state: "allowed-failure" as const } : step
  );
  const bars = async (steps: RunDocument["steps"]) =>
    (await renderHtml({ ...report, steps }, { tail: () => [], graph: "" })).match(
      /<rect class="run[^"]*"/g,
    );
  assert.ok((await bars(report.steps))?.includes('<rect class="run failed"'));
  assert.ok(!(await bars(steps))?.includes('<rect class="run failed"'));
  assert.ok((await bars(steps))?.includes('<rect class="run allowed-failure"'));
});

Deno.test("renderHtml() names each container image once, with the steps that ran in it", async () => {
  const report = documentOf(succeededRun());
  const steps = report.steps.map((step) => ({
    ...step,
    attempts: step.attempts.map((attempt) => ({ ...attempt, image: "ml/<base>@sha256:0f" })),
  }));
  const html = await renderHtml({ ...report, steps }, { tail: () => [], graph: "" });
  assert.match(
    html,
    /<th scope="row">image<\/th><td>ml\/&lt;base&gt;@sha256:0f; of code, gpu, train, score/,
  );
  assert.doesNotMatch(await renderHtml(report, { tail: () => [], graph: "" }), />image</);
});
