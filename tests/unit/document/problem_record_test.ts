import assert from "node:assert/strict";
import { GridError } from "../../../src/core/errors.ts";
import { type Diagnostic, DiagnosticsError } from "../../../src/document/diagnostic.ts";
import { problemRecord, readProblem } from "../../../src/document/problem_record.ts";

const clean = (text: string) => text.replaceAll("!", "");
const over = (error: GridError) =>
  readProblem(JSON.parse(JSON.stringify(problemRecord(error))), { clean });

const DIAGNOSTIC: Diagnostic = {
  severity: "error",
  rule: "unknown-key",
  place: { file: "p.yaml", line: 3, column: 5 },
  length: 3,
  sourceLine: "    rnu: echo",
  message: 'unknown key "rnu"',
  hint: 'did you mean "run"?',
  usedAt: [{ file: "q.yaml", line: 1, column: 1 }],
};

Deno.test("a failure arrives as it was", () => {
  const error = new GridError({
    code: "tcp",
    message: "Cannot connect",
    hint: "look",
    node: "gpu1",
    place: { file: "a", line: 1, column: 2 },
    cause: new Error("refused"),
  });
  const read = over(error);
  assert.deepEqual(read, error);
  assert.equal((read?.cause as Error).message, "refused");
});

Deno.test("mistakes of a file arrive with all their places", () => {
  const error = new DiagnosticsError("cluster-invalid", [DIAGNOSTIC, DIAGNOSTIC]);
  const read = over(error);
  assert.ok(read instanceof DiagnosticsError);
  assert.deepEqual(read, error);
});

Deno.test("every text is cleaned", () => {
  const message = "x!";
  const dirty = { ...DIAGNOSTIC, message, hint: "h!", sourceLine: "s!", rule: "r!" };
  const read = over(new DiagnosticsError("input-invalid", [dirty]));
  assert.ok(read instanceof DiagnosticsError);
  assert.ok(!JSON.stringify(read.diagnostics).includes("!"));
});

for (
  const value of [
    undefined,
    "words",
    { code: "toString", message: "x" },
    { code: "usage", message: 7 },
    { code: "usage", message: "x", diagnostics: [DIAGNOSTIC] },
    { code: "pipeline-invalid", message: "x", diagnostics: [] },
    { code: "pipeline-invalid", message: "x", diagnostics: [{ ...DIAGNOSTIC, length: "3" }] },
    { code: "pipeline-invalid", message: "x", diagnostics: [{ ...DIAGNOSTIC, place: {} }] },
  ]
) {
  Deno.test(`no failure: ${JSON.stringify(value)}`, () => {
    assert.equal(readProblem(value, { clean }), undefined);
  });
}
