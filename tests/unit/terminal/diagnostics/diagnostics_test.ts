import assert from "node:assert/strict";
import type { Diagnostic } from "../../../../src/document/diagnostic.ts";
import { renderGithubDiagnostics } from "../../../../src/terminal/diagnostics/github.ts";
import { diagnosticsDocument } from "../../../../src/terminal/diagnostics/json.ts";
import { sarifDocument } from "../../../../src/terminal/diagnostics/sarif.ts";
import { renderDiagnostics } from "../../../../src/terminal/diagnostics/text.ts";
import { displayWidth } from "../../../../src/terminal/width.ts";
import { assertGolden } from "../../../support/golden.ts";

const DIAGNOSTICS: readonly Diagnostic[] = [
  {
    severity: "error",
    rule: "unknown-key",
    place: { file: "pipelines/train.yaml", line: 12, column: 5 },
    length: 7,
    sourceLine: "    retires: 3",
    message: 'unknown key "retires"',
    hint: 'did you mean "retries"?',
  },
  {
    severity: "error",
    rule: "unknown-step",
    place: { file: "templates/eval.yaml", line: 7, column: 23 },
    length: 11,
    sourceLine: '    run: echo "日本 ${{ steps.trian.outputs.x }}"',
    message: 'no step is called "trian", and 100% of it, is: wrong',
    usedAt: [
      { file: "pipelines/train.yaml", line: 30, column: 11 },
      { file: "pipelines/nightly.yaml", line: 4, column: 11 },
    ],
  },
  {
    severity: "warning",
    rule: "tab",
    place: { file: "pipelines/train.yaml", line: 101, column: 2 },
    length: 1,
    sourceLine: "\tid: x",
    message: "a tab indents nothing in YAML",
    hint: "use blanks",
  },
  {
    severity: "error",
    rule: "missing-value",
    place: { file: "pipelines/train.yaml", line: 3, column: 9 },
    length: 1,
    sourceLine: "  epoch:",
    message: "a value is missing",
  },
  {
    severity: "error",
    rule: "bad-type",
    place: { file: "pipelines/train.yaml", line: 5, column: 151 },
    length: 200,
    sourceLine: `run: ${"x".repeat(140)} here ${"y".repeat(195)} and more ${"z".repeat(80)}`,
    message: "this is too long",
  },
];

Deno.test("renderDiagnostics() shows place, line, caret, hint and use of every mistake", () => {
  assertGolden(
    "terminal/diagnostics.txt",
    renderDiagnostics(DIAGNOSTICS, { color: false, width: 80 }),
  );
});

Deno.test("renderDiagnostics() keeps the source line within the terminal", () => {
  for (const width of [40, 80, 120]) {
    const text = renderDiagnostics(DIAGNOSTICS, { color: false, width });
    for (const line of text.split("\n").filter((line) => /^ *\d* \|/.test(line))) {
      assert.ok(displayWidth(line) <= width, `${width}: ${line}`);
    }
  }
});

Deno.test("renderDiagnostics() shows a hundred of very many mistakes, errors first, and counts the rest", () => {
  const at = (line: number, severity: Diagnostic["severity"]): Diagnostic => ({
    severity,
    rule: "r",
    place: { file: "a.yaml", line, column: 1 },
    length: 1,
    sourceLine: "x",
    message: `m${line}`,
  });
  const all = Array.from({ length: 500 }, (_, i) => at(i + 1, i % 10 === 0 ? "error" : "warning"));
  const text = renderDiagnostics(all, { color: false });
  assert.equal(text.split("\n").filter((line) => line.startsWith("a.yaml:")).length, 100);
  for (const { place, severity } of all) {
    if (severity === "error") assert.match(text, new RegExp(`^a\\.yaml:${place.line}:`, "m"));
  }
  assert.match(text, /\n… and 400 more; all of them: grid validate --format json\n/);
  assert.match(text, /50 errors, 450 warnings in 1 file\n$/);
  assert.equal(JSON.stringify(diagnosticsDocument(all)).match(/"m\d+"/g)?.length, 500);
});

Deno.test("renderDiagnostics() marks in colour what it says without", () => {
  const text = renderDiagnostics(DIAGNOSTICS, { color: true, width: 80 });
  // deno-lint-ignore no-control-regex -- colours are control sequences
  const plain = text.replaceAll(/\x1b\[[0-9;]*m/g, "");
  assert.notEqual(text, plain);
  assert.equal(plain, renderDiagnostics(DIAGNOSTICS, { color: false, width: 80 }));
});

Deno.test("renderGithubDiagnostics() writes annotations that GitHub can read", () => {
  assertGolden("terminal/diagnostics_github.txt", renderGithubDiagnostics(DIAGNOSTICS));
});

Deno.test("diagnosticsDocument() has every field, null where there is nothing", () => {
  const text = JSON.stringify(diagnosticsDocument(DIAGNOSTICS.slice(0, 3)), null, 2) + "\n";
  assertGolden("terminal/diagnostics.json", text);
});

Deno.test("renderGithubDiagnostics() keeps ten errors and ten warnings, and counts the rest", () => {
  const [first] = DIAGNOSTICS;
  assert.ok(first);
  const many = (["error", "warning"] as const).flatMap((severity) =>
    Array.from({ length: 12 }, () => ({ ...first, severity }))
  );
  const lines = renderGithubDiagnostics(many).trim().split("\n");
  const count = (level: string) => lines.filter((line) => line.startsWith(`::${level}`)).length;
  assert.deepEqual([count("error"), count("warning"), count("notice")], [10, 10, 1]);
  assert.match(lines.at(-1) ?? "", /and 4 more/);
});

Deno.test("sarifDocument() describes every rule, as GitHub wants it", () => {
  const document = JSON.parse(
    JSON.stringify(sarifDocument(DIAGNOSTICS, { gridVersion: "0.1.0" })),
  );
  for (const rule of document.runs[0].tool.driver.rules) {
    for (const part of ["shortDescription", "fullDescription", "help"]) {
      assert.ok(rule[part].text.length > 0, `${rule.id}: ${part}`);
    }
  }
});

Deno.test("sarifDocument() names rules, places and uses", () => {
  const document = sarifDocument(DIAGNOSTICS.slice(0, 3), { gridVersion: "0.1.0" });
  assertGolden("terminal/diagnostics.sarif", JSON.stringify(document, null, 2) + "\n");
});
