import assert from "node:assert/strict";
import { TestOutput } from "../support/test_output.ts";

const RUN = `Check tests/a_test.ts
./tests/a_test.ts => adds (needs ray) ... ok (3s)
./tests/a_test.ts => waits ... a step ... FAILED (1s)
./tests/a_test.ts => waits ... FAILED (due to 1 failed step) (2s)
./tests/b_test.ts => needs a part (needs gpu) ... ignored (0ms)
------- output -------
said by the test itself ... FAILED or not
./tests/b_test.ts => subtracts: 3 => 2 ... FAILED (1s)

FAILED | 1 passed (4 steps) | 2 failed (1 step) | 1 ignored (4s)
`;

Deno.test("what deno test prints is read back: tests, not their steps", () => {
  const output = new TestOutput();
  for (let at = 0; at < RUN.length; at += 7) output.add(RUN.slice(at, at + 7));
  assert.deepEqual(output.result(), {
    passed: 1,
    failed: [
      { file: "./tests/a_test.ts", name: "waits" },
      { file: "./tests/b_test.ts", name: "subtracts: 3 => 2" },
    ],
    skipped: ["./tests/b_test.ts => needs a part (needs gpu)"],
    isBroken: false,
  });
});

Deno.test("a file that fails outside of its tests is told apart", () => {
  const output = new TestOutput();
  output.add("./tests/a_test.ts (uncaught error) ... FAILED\nFAILED | 3 passed | 1 failed (1s)\n");
  const { failed, isBroken } = output.result();
  assert.deepEqual([failed, isBroken], [[], true]);
});
