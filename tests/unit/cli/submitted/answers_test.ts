import assert from "node:assert/strict";
import { READERS } from "../../../../src/cli/submitted/answers.ts";

Deno.test("what a Grid on a node answers is taken as it is", () => {
  const check = {
    unreached: [{ node: "gpu3", why: "no key" }],
    findings: [{ about: "step d", words: "no such file", ok: false, exitCode: 2 }],
    problem: "error: no\nhint: yes",
  };
  assert.deepEqual(READERS.check(check), check);
  assert.deepEqual(READERS.begin({ pid: 7, restart: "cron" }), { pid: 7, restart: "cron" });
  assert.deepEqual(READERS.begin({ said: "no", exitCode: 3 }), { said: "no", exitCode: 3 });
  assert.deepEqual(READERS.cancel({ asked: false }), { asked: false });
});

Deno.test("what moves the cursor is taken out of a node's words, and a code that is none is one of ours", () => {
  const begun = READERS.begin({ said: "a\x1b]0;title\x07b\x1b[2Jc", exitCode: 4096 });
  assert.deepEqual(begun, { said: "abc", exitCode: 70 });
  assert.deepEqual(READERS.begin({ said: "ended", exitCode: 0 }), { said: "ended", exitCode: 70 });
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
    { said: 1 },
  ]
) {
  Deno.test(`nobody answers so: ${JSON.stringify(value)}`, () => {
    assert.equal(READERS.check(value), undefined);
    assert.equal(READERS.begin(value), undefined);
    assert.equal(READERS.cancel(value), undefined);
  });
}
