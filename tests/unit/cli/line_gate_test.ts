import assert from "node:assert/strict";
import fc from "fast-check";
import { LineGate } from "../../../src/cli/line_gate.ts";
import { compilePattern, loadPatterns } from "../../../src/core/pattern.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

interface Gated {
  readonly first: readonly string[];
  readonly later?: readonly string[];
  readonly grep?: string;
  readonly tail?: number;
}

/** All that comes out where the pieces of `later` come after the first look. */
function shownOf({ first, later = [], grep, tail }: Gated): string {
  const gate = new LineGate({ grep: grep === undefined ? undefined : compilePattern(grep), tail });
  const buffer = new Uint8Array(1000);
  const push = (piece: string) => {
    // The memory is used again, as a reader of files does.
    const { written } = encoder.encodeInto(piece, buffer);
    return decoder.decode(gate.push(buffer.subarray(0, written)));
  };
  let shown = first.map(push).join("");
  shown += decoder.decode(gate.settle());
  shown += later.map(push).join("");
  return shown + decoder.decode(gate.end());
}

Deno.test("LineGate shows the last lines of what is there, and all that comes", () => {
  assert.equal(shownOf({ first: ["a\nb\nc\n"], tail: 2 }), "b\nc\n");
  assert.equal(shownOf({ first: ["a\nb\nc"], tail: 2 }), "b\nc");
  assert.equal(shownOf({ first: ["a\nb\nc"], later: ["d\ne\n", "f"], tail: 1 }), "cd\ne\nf");
  assert.equal(shownOf({ first: [], later: ["d\n"], tail: 1 }), "d\n");
});

Deno.test("LineGate shows only lines that hold the pattern, whole", async () => {
  await loadPatterns();
  const lines = ["loss 1\nacc", " 2\r\nloss 3\nlo", "ss 4"];
  assert.equal(shownOf({ first: lines, grep: "^loss" }), "loss 1\nloss 3\nloss 4");
  assert.equal(shownOf({ first: lines, grep: "2$" }), "acc 2\r\n");
  assert.equal(shownOf({ first: lines, grep: "loss", tail: 1 }), "loss 3\nloss 4");
});

Deno.test("LineGate without wishes changes nothing; with some, the pieces do not matter", async () => {
  await loadPatterns();
  const piece = fc.string({ unit: fc.constantFrom("a", "b", "\n", "é"), maxLength: 12 });
  fc.assert(fc.property(fc.array(piece, { maxLength: 8 }), (first) => {
    const whole = first.join("");
    assert.equal(shownOf({ first }), whole);
    assert.equal(shownOf({ first, grep: "a" }), shownOf({ first: [whole], grep: "a" }));
    assert.equal(shownOf({ first, tail: 2 }), shownOf({ first: [whole], tail: 2 }));
  }));
});
