import assert from "node:assert/strict";
import { GridError, toGridError } from "../../../src/core/errors.ts";
import { type Diagnostic, DiagnosticsError } from "../../../src/document/diagnostic.ts";
import { renderProblem } from "../../../src/terminal/problem.ts";
import { assertGolden } from "../../support/golden.ts";

const PROBLEMS: readonly GridError[] = [
  new GridError({
    code: "host-key",
    message: 'Cannot connect to "gpu1": its host key is not known',
    hint: "compare the fingerprint, then run: grid trust gpu1",
    node: "gpu1",
  }),
  new GridError({
    code: "workspace",
    message: "Cannot make the workspace: disk full",
    node: "gpu2",
  }),
  new GridError({
    code: "usage",
    message: 'Cannot read "train.yml": no such file',
    hint: 'did you mean "train.yaml"?',
    place: { file: "Makefile", line: 3, column: 1 },
  }),
  new GridError({
    code: "tcp",
    message: 'Cannot connect to "gpu3"',
    cause: new Error("connect ECONNREFUSED 10.0.0.7:22\nmore"),
  }),
  toGridError(new TypeError("undefined is not a function")),
];

Deno.test("renderProblem() says what, where, why and what to do", () => {
  const words = PROBLEMS.map((error) => renderProblem(error, { color: false }));
  assertGolden("terminal/problems.txt", words.join("\n"));
});

Deno.test("renderProblem() shows a stack only for a bug, and only when debugging", () => {
  const bug = toGridError(new TypeError("boom"));
  const known = new GridError({ code: "auth", message: "Cannot log in", cause: new Error("x") });
  assert.doesNotMatch(renderProblem(bug, { color: false }), /\n\s+at /);
  assert.match(renderProblem(bug, { color: false, debug: true }), /\n\s+at .*problem_test\.ts/);
  assert.doesNotMatch(renderProblem(known, { color: false, debug: true }), /\n\s+at /);
});

Deno.test("renderProblem() makes text from a node harmless", () => {
  const error = new GridError({ code: "exit", message: "Cannot run: \x1b]0;owned\x07\x1b[2Jbad" });
  assert.equal(renderProblem(error, { color: true }).includes("\x1b[2J"), false);
  assert.equal(renderProblem(error, { color: true }).includes("\x07"), false);
});

Deno.test("renderProblem() shows every diagnostic of a file", () => {
  const at = (line: number): Diagnostic => ({
    severity: "error",
    rule: "unknown-key",
    place: { file: "p.yaml", line, column: 3 },
    length: 7,
    sourceLine: "  retires: 3",
    message: 'unknown key "retires"',
  });
  const error = new DiagnosticsError("pipeline-invalid", [at(3), at(9)]);
  const words = renderProblem(error, { color: false });
  assert.match(words, /p\.yaml:3:3: error:/);
  assert.match(words, /p\.yaml:9:3: error:/);
});
