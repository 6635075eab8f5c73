import assert from "node:assert/strict";
import fc from "fast-check";
import { MaskedLines } from "../../../../src/engine/ledger/masked_lines.ts";

const encoder = new TextEncoder();

Deno.test("MaskedLines counts lines with a mask, wherever chunks end", () => {
  const chunk = fc.string({ unit: fc.constantFrom("*", "*", "a", "\n") });
  fc.assert(fc.property(fc.array(chunk), (chunks) => {
    const lines = new MaskedLines();
    for (const each of chunks) lines.push(encoder.encode(each));
    const all = chunks.join("").split("\n").filter((line) => line.includes("***"));
    assert.equal(lines.count, all.length);
  }));
});
