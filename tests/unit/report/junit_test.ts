import assert from "node:assert/strict";
import fc from "fast-check";
import { replay } from "../../../src/engine/reduce.ts";
import { renderSvg } from "../../../src/report/graph/svg.ts";
import { renderHtml } from "../../../src/report/html.ts";
import { SCRIPT } from "../../../src/report/html_script.ts";
import { renderJunit } from "../../../src/report/junit.ts";
import { escapeMarkup } from "../../../src/report/markup.ts";
import { runDocument } from "../../../src/report/document_writer.ts";
import { testWith } from "../../support/requires.ts";
import { failedRun, succeededRun } from "../../support/sample_runs.ts";

const PARSE = `
import sys, json, xml.etree.ElementTree as tree
for document in sys.stdin.buffer.read().split(b"\\0"):
    root = tree.fromstring(document)
print(json.dumps({
  "suites": [suite.attrib for suite in root.iter("testsuite")],
  "cases": [[case.get("name"), [child.tag for child in case]] for case in root.iter("testcase")],
  "text": "".join(root.itertext()),
}))`;

/**
 * Parses with a parser that is not ours, and fails where a document is not well-formed.
 * Tells of the last one.
 */
async function parseXml(...documents: string[]) {
  const child = new Deno.Command("python3", {
    args: ["-c", PARSE],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(documents.join("\0")));
  await writer.close();
  const { success, stdout, stderr } = await child.output();
  assert.ok(success, new TextDecoder().decode(stderr));
  return JSON.parse(new TextDecoder().decode(stdout));
}

function documentOf(events: ReturnType<typeof failedRun>) {
  const state = replay(events);
  assert.ok(state);
  return runDocument(state, { logOf: () => null, transports: [] });
}

const NASTY = 'a <b> & "c" \x00\x1b[31m\x07 ]]> \ud800 \uffff \u{1f389} \x1b]0;t\x07';

testWith(["python3"], "renderJunit() is XML with one case per step", async () => {
  const xml = renderJunit(documentOf(failedRun()), { tail: () => ["last", NASTY] });
  const { suites, cases, text } = await parseXml(xml);
  const timestamp = "2026-01-31T12:00:00";
  const all = { tests: "5", failures: "1", errors: "0", skipped: "2", time: "9.610", timestamp };
  const none = { tests: "1", failures: "0", errors: "0", skipped: "0", time: "0.120", timestamp };
  assert.deepEqual(suites, [{ name: "train", ...all }, { name: "train hooks", ...none }]);
  assert.deepEqual(cases, [
    ["code", ["system-out"]],
    ["gpu", ["system-out"]],
    ["train", ["failure", "system-out"]],
    ["score", ["skipped"]],
    ["model", ["skipped"]],
    ["notify", ["system-out"]],
  ]);
  assert.match(text, /a <b> & "c"/);
});

testWith(
  ["python3"],
  "renderJunit() tells earlier attempts as flaky or rerun failures",
  async () => {
    const flaky = await parseXml(renderJunit(documentOf(succeededRun()), { tail: () => [] }));
    const train = flaky.cases.find(([name]: [string]) => name === "train");
    assert.deepEqual(train, ["train", ["flakyFailure", "system-out"]]);
    assert.equal(flaky.suites[0].failures, "0");
    const document = documentOf(failedRun());
    const steps = document.steps.map((step) => ({
      ...step,
      attempts: step.attempts.flatMap((attempt) => [attempt, { ...attempt, attempt: 2 }]),
    }));
    const rerun = await parseXml(renderJunit({ ...document, steps }, { tail: () => [] }));
    const failed = rerun.cases.find(([name]: [string]) => name === "train");
    assert.deepEqual(failed, ["train", ["failure", "rerunFailure", "system-out"]]);
  },
);

testWith(["python3"], "renderJunit() leaves out hooks that were not called for", async () => {
  const { cases } = await parseXml(renderJunit(documentOf(succeededRun()), { tail: () => [] }));
  assert.equal(cases.some(([name]: [string]) => name === "notify"), false);
});

testWith(
  ["python3"],
  "renderJunit() is well-formed whatever a step is called and prints",
  async () => {
    const anything = fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code));
    const strange = fc.string({ unit: anything, maxLength: 30 });
    const document = documentOf(failedRun());
    const documents = fc.sample(fc.tuple(strange, strange), 200).map(([message, line]) => {
      const steps = document.steps.map((step) => ({ ...step, id: message, reason: message }));
      return renderJunit({ ...document, steps }, { tail: () => [line, NASTY] });
    });
    await parseXml(...documents);
  },
);

Deno.test("escapeMarkup() leaves nothing that XML forbids", () => {
  const escaped = escapeMarkup(NASTY);
  // deno-lint-ignore no-control-regex -- control characters are what must be gone
  assert.doesNotMatch(escaped, /[\x00-\x08\x0b\x0c\x0e-\x1f<>"']/);
  assert.equal(escapeMarkup("plain"), "plain");
});

Deno.test("renderHtml() is closed to other scripts and to the network", async () => {
  const document = documentOf(failedRun());
  const evil = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'";
  const steps = document.steps.map((step) => ({
    ...step,
    id: `${step.id}${evil}`,
    reason: evil,
    node: evil,
  }));
  const html = await renderHtml({ ...document, steps, pipeline: evil, warnings: [evil] }, {
    tail: () => [evil],
    graph: renderSvg(steps),
  });
  assert.ok(html.includes(`<script>${SCRIPT}</script>`));
  const bare = html.replace(`<script>${SCRIPT}</script>`, "").replaceAll(/"[^"]*"/g, '""');
  assert.doesNotMatch(bare, /<script|<img|<[^>]*\b(src|on\w+)=|@import|url\(|alert\(1\)</);
  assert.doesNotMatch(html, /(href|src)="(https?:)?\/\//);
});
