import assert from "node:assert/strict";
import fc from "fast-check";
import { Greeting } from "../../../src/transport/greeting.ts";

const ENCODER = new TextEncoder();

Deno.test("Greeting hands on what stands behind its end, wherever the pieces are cut", () => {
  const greetings = fc.oneof(fc.string(), fc.constantFrom("grid-", "=grid-grid-", "\u001e"));
  fc.assert(
    fc.property(greetings, fc.string(), fc.integer({ min: 1, max: 40 }), (before, words, size) => {
      const greeting = new Greeting();
      const mark = /^printf %s (\S+)\n$/.exec(greeting.ending)?.[1] ?? "";
      const all = ENCODER.encode(before + mark + words);
      const said: number[] = [];
      for (let at = 0; at < all.length; at += size) {
        said.push(...greeting.past(all.subarray(at, at + size)));
      }
      assert.deepEqual(said, [...ENCODER.encode(words)]);
      assert.equal(greeting.pastText(before + mark + words), words);
    }),
  );
});

Deno.test("Greeting hands on nothing where its end never comes", () => {
  const greeting = new Greeting();
  const said = Array.from({ length: 1000 }, () => greeting.past(ENCODER.encode("Welcome grid-")));
  assert.ok(said.every(({ length }) => length === 0));
  assert.equal(greeting.pastText("Welcome grid-"), "");
});
