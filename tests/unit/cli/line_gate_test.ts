import assert from "node:assert/strict";
import fc from "fast-check";
import { ItemLines } from "../../../src/cli/item_lines.ts";
import { LineGate } from "../../../src/cli/line_gate.ts";
import { STAMP_LENGTH, StampedLines } from "../../../src/cli/stamped_lines.ts";
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

const NOON = Date.parse("2026-01-31T12:00:00Z");

Deno.test("StampedLines puts before each line when it began to come, however it is cut", () => {
  const text = "one\n\nthree\nfour";
  const expected = "2026-01-31T12:00:00Z one\n2026-01-31T12:00:04Z \n" +
    "2026-01-31T12:00:05Z three\n2026-01-31T12:00:11Z four";
  fc.assert(fc.property(fc.array(fc.nat({ max: text.length })), (cuts) => {
    const lines = new StampedLines(0, (offset) => NOON + offset * 1000);
    const ends = [...cuts.toSorted((a, b) => a - b), text.length];
    const shown = ends.map((end, at) =>
      decoder.decode(lines.push(encoder.encode(text.slice(ends[at - 1] ?? 0, end))))
    );
    assert.equal(shown.join(""), expected);
  }));
});

Deno.test("StampedLines leaves room where no time is known, and others see past it", async () => {
  await loadPatterns();
  const stamped = new StampedLines(7, () => undefined).push(encoder.encode("[3] 2026\n[4] no\n"));
  assert.equal(
    decoder.decode(stamped),
    `${" ".repeat(STAMP_LENGTH)}[3] 2026\n` +
      `${" ".repeat(STAMP_LENGTH)}[4] no\n`,
  );
  const item = new ItemLines({ item: 3 }, STAMP_LENGTH).push(stamped);
  assert.equal(decoder.decode(item), `${" ".repeat(STAMP_LENGTH)}2026\n`);
  const gate = new LineGate({ grep: compilePattern("^2026"), tail: undefined, skip: STAMP_LENGTH });
  assert.deepEqual(gate.push(item), item);
});
