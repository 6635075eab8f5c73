import assert from "node:assert/strict";
import { GridError } from "../../../../src/core/errors.ts";
import { problemRecord } from "../../../../src/document/problem_record.ts";
import { renderProblem } from "../../../../src/terminal/problem.ts";
import { READERS } from "../../../../src/cli/submitted/answers.ts";

Deno.test("what a Grid on a node answers is taken as it is", () => {
  const check = {
    unreached: [{ node: "gpu3", why: "no key" }],
    findings: [{ about: "step d", words: "no such file", ok: false, exitCode: 2 }],
  };
  assert.deepEqual(READERS.check(check), check);
  const error = new GridError({ code: "no-node", message: "no", hint: "yes", node: "gpu3" });
  const sent = JSON.parse(JSON.stringify({ ...check, problem: problemRecord(error) }));
  assert.deepEqual(READERS.check(sent), { ...check, problem: error });
  assert.deepEqual(READERS.begin({ pid: 7, restart: "cron" }), { pid: 7, restart: "cron" });
  assert.deepEqual(
    READERS.begin({ problem: { code: "no-node", message: "no", hint: "yes", node: "gpu3" } }),
    {
      problem: error,
    },
  );
  assert.deepEqual(READERS.cancel({ asked: false }), { asked: false });
});

Deno.test("what moves the cursor is taken out of a node's words", () => {
  const begun = READERS.begin({
    problem: { code: "usage", message: "a\x1b]0;title\x07b\x1b[2Jc", cause: "d\x1b[1A" },
  });
  assert.ok(begun !== undefined && "problem" in begun);
  assert.equal(renderProblem(begun.problem, { color: false }), "error: abc\ncause: d\n");
});

for (
  const value of [
    undefined,
    null,
    7,
    "x",
    [],
    {},
    { unreached: {}, findings: [] },
    {
      unreached: [{}],
      findings: [],
    },
    { unreached: [], findings: [{ about: 1, words: "x" }] },
    { asked: 1 },
    { problem: 1 },
    { problem: { code: "no-such-code", message: "x" } },
    { problem: { code: "usage" } },
    { unreached: [], findings: [], problem: {} },
  ]
) {
  Deno.test(`nobody answers so: ${JSON.stringify(value)}`, () => {
    assert.equal(READERS.check(value), undefined);
    assert.equal(READERS.begin(value), undefined);
    assert.equal(READERS.cancel(value), undefined);
  });
}
