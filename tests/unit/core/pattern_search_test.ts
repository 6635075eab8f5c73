import assert from "node:assert/strict";
import fc from "fast-check";
import { createPatternSearch } from "../../../src/core/pattern_search.ts";

const encoder = new TextEncoder();

function matches(patterns: readonly string[], text: string): string[] {
  const found: string[] = [];
  createPatternSearch(patterns).scan(encoder.encode(text), (start, end) => {
    found.push(`${start}-${end}`);
  });
  return found;
}

/** The same by looking at every place for every pattern. */
function plainMatches(patterns: readonly string[], text: string): string[] {
  return [...text].flatMap((_, start) => {
    const fitting = patterns.filter((pattern) =>
      pattern.length >= 4 && text.startsWith(pattern, start)
    );
    const longest = Math.max(...fitting.map((pattern) => pattern.length));
    return fitting.length === 0 ? [] : [`${start}-${start + longest}`];
  });
}

Deno.test("scan() reports the longest match of every place", () => {
  assert.deepEqual(matches(["abcd", "abcdef", "cdef"], "xabcdefx"), ["1-7", "3-7"]);
  assert.deepEqual(matches(["aaaa"], "aaaaaa"), ["0-4", "1-5", "2-6"]);
  assert.deepEqual(matches([], "anything"), []);
  assert.deepEqual(matches(["abc"], "abc"), []);
});

Deno.test("scan() finds what a plain search finds", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "c"), maxLength: 60 });
  const pattern = fc.string({ unit: fc.constantFrom("a", "b", "c"), minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(fc.array(pattern), letters, (patterns, text) => {
      assert.deepEqual(matches(patterns, text), plainMatches(patterns, text));
    }),
    { numRuns: 1000 },
  );
});

Deno.test("openEnd() is where a pattern may have begun", () => {
  const search = createPatternSearch(["secret", "crab"]);
  const openEnd = (text: string) => search.openEnd(encoder.encode(text));
  assert.equal(openEnd("no"), 2);
  assert.equal(openEnd("a sec"), 2);
  assert.equal(openEnd("a secr"), 2);
  assert.equal(openEnd("a secret"), 8);
  assert.equal(openEnd("a secrets"), 8);
  assert.equal(openEnd(""), 0);
});
