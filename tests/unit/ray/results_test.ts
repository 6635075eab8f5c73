import assert from "node:assert/strict";
import fc from "fast-check";
import { OutcomeReader, SuccessLines } from "../../../src/ray/results.ts";
import { CollectedOutcomes } from "../../support/batch_results.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

/** Feeds the text in pieces of this size. */
function read(
  text: string,
  { total, piece = 7, isKept = true }: { total: number; piece?: number; isKept?: boolean },
) {
  const outcomes = new CollectedOutcomes();
  const successes = new SuccessLines();
  const reader = new OutcomeReader(total, outcomes, isKept ? successes : undefined);
  const all = bytes(text);
  for (let at = 0; at < all.length; at += piece) reader.push(all.subarray(at, at + piece));
  return { reader, outcomes, known: new TextDecoder().decode(successes.bytes) };
}

Deno.test("OutcomeReader tells results from errors, and who was first", () => {
  const { reader, outcomes, known } = read('={"a": 1}\n!"ValueError: b"\n="é"\n!"late"\n', {
    total: 4,
  });
  const outcome = reader.outcome();
  assert.deepEqual(outcome, {
    total: 4,
    failed: 2,
    firstFailure: { index: 1, error: "ValueError: b" },
  });
  assert.deepEqual(outcomes.of(outcome).results, [
    { ok: true, value: { a: 1 } },
    { ok: false, error: "ValueError: b" },
    { ok: true, value: "é" },
    { ok: false, error: "late" },
  ]);
  assert.equal(
    known,
    '{"item": "", "index": 0, "ok": true, "value": {"a": 1}}\n' +
      '{"item": "", "index": 2, "ok": true, "value": "é"}\n',
  );
});

Deno.test("OutcomeReader says the same whatever the pieces are", () => {
  const line = fc.oneof(
    fc.json().map((value) => `=${value}`),
    fc.nat(200).map((length) => `="${"x".repeat(length)}"`),
    fc.string().map((words) => `!${JSON.stringify(words)}`),
  );
  fc.assert(fc.property(fc.array(line), fc.integer({ min: 1, max: 40 }), (lines, piece) => {
    const text = lines.map((line) => `${line}\n`).join("");
    const total = lines.length;
    const [whole, parts] = [read(text, { total, piece: 1 << 20 }), read(text, { total, piece })];
    assert.deepEqual(parts.outcomes, whole.outcomes);
    assert.deepEqual(parts.reader.outcome(), whole.reader.outcome());
    assert.equal(parts.known, whole.known);
    for (const size of [piece, 1 << 20]) {
      const unkept = read(text, { total, piece: size, isKept: false });
      assert.deepEqual(unkept.outcomes, whole.outcomes);
      assert.deepEqual(unkept.reader.outcome(), whole.reader.outcome());
    }
    assert.equal(whole.outcomes.of(whole.reader.outcome()).results.length, total);
  }));
});

Deno.test("OutcomeReader counts the tasks without an outcome", () => {
  assert.throws(() => read("=1\n?\n?\n", { total: 3 }).reader.outcome(), {
    message: "Cannot collect the results: 2 of 3 are missing",
  });
  assert.throws(() => read("=1\n=2", { total: 3 }).reader.outcome(), {
    message: "Cannot collect the results: 2 of 3 are missing",
  });
});

Deno.test("OutcomeReader takes no more lines than there are tasks", () => {
  const { reader, outcomes } = read("=1\n=2\n=3\n", { total: 2 });
  assert.equal(outcomes.of(reader.outcome()).results.length, 2);
});
