import assert from "node:assert/strict";
import fc from "fast-check";
import { Tape } from "../../../src/report/tape.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

Deno.test("Tape lays pieces in their order, in whatever order they come", () => {
  const piece = fc.tuple(fc.string(), fc.nat({ max: 3 }).map((times) => 20_000 * times))
    .map(([text, wide]) => text + " ".repeat(wide));
  const comes = fc.array(piece, { maxLength: 12 }).chain((pieces) =>
    fc.tuple(fc.constant(pieces), fc.shuffledSubarray(pieces.map((_, at) => at)))
  );
  fc.assert(fc.property(comes, ([pieces, order]) => {
    const tape = new Tape();
    for (const at of order) tape.add(at, encoder.encode(pieces[at]));
    const missing = pieces.findIndex((_, at) => !order.includes(at));
    const laid = missing < 0 ? pieces.length : missing;
    assert.equal(tape.count, laid);
    assert.equal(decoder.decode(tape.bytes), pieces.slice(0, laid).join(""));
    for (const [at, text] of pieces.entries()) {
      const early = tape.early(at);
      const waits = at > laid && order.includes(at);
      assert.equal(early && decoder.decode(early), waits ? text : undefined);
    }
  }));
});

Deno.test("Tape keeps what is laid, and takes the newer of what is not", () => {
  const tape = new Tape();
  for (const [at, text] of [[0, "a"], [2, "old"], [2, "c"], [0, "x"], [1, "b"]] as const) {
    tape.add(at, encoder.encode(text));
  }
  assert.equal(decoder.decode(tape.bytes), "abc");
});
