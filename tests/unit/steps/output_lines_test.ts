import assert from "node:assert/strict";
import { parseOutputLines } from "../../../src/steps/output_lines.ts";

Deno.test("parseOutputLines() reads name=value lines, the last one counting", () => {
  const text = "loss=0.1\n\nurl=http://x/?a=b<<c\r\nempty=\nloss=0.2\n";
  assert.deepEqual(parseOutputLines(text), { loss: "0.2", url: "http://x/?a=b<<c", empty: "" });
});

Deno.test("parseOutputLines() reads values of several lines", () => {
  const text = "before=1\nnotes<<END\nfirst=1\n\n  third\nEND\nafter=2";
  assert.deepEqual(parseOutputLines(text), {
    before: "1",
    notes: "first=1\n\n  third",
    after: "2",
  });
});

Deno.test("parseOutputLines() names the line that it cannot read", () => {
  const code = "output-invalid";
  assert.throws(() => parseOutputLines("a=1\nno sign"), { code, message: /line 2 is neither/ });
  assert.throws(() => parseOutputLines("a b=1"), { code, message: /line 1 is neither/ });
  assert.throws(() => parseOutputLines("a<<END\nx"), { code, message: /opens "END"/ });
  assert.throws(() => parseOutputLines("x=1\n".repeat(300_000)), { code, message: /1 MiB/ });
});

Deno.test("parseOutputLines() keeps signs that only JavaScript takes for the end of a line", () => {
  assert.deepEqual(parseOutputLines("a=x\u2028y\u2029z\u0085\rw\n"), {
    a: "x\u2028y\u2029z\u0085\rw",
  });
});
