import assert from "node:assert/strict";
import fc from "fast-check";
import { editDistance, nearest } from "../../../src/core/did_you_mean.ts";

const KEYS = ["needs", "retry", "timeout", "max-parallel", "with"];

Deno.test("nearest() finds slips of the finger", () => {
  assert.equal(nearest("need", KEYS), "needs");
  assert.equal(nearest("rtery", KEYS), "retry");
  assert.equal(nearest("tiemout", KEYS), "timeout");
  assert.equal(nearest("max_parallel", KEYS), "max-parallel");
  assert.equal(nearest("Timeout", KEYS), "timeout");
  assert.equal(nearest("wiht", KEYS), "with");
});

Deno.test("nearest() takes letters that changed places for likelier than one that is missing", () => {
  for (const known of [["node", "nodes"], ["nodes", "node"]]) {
    assert.equal(nearest("nodse", known), "nodes");
    assert.equal(nearest("nod", known), "node");
  }
});

Deno.test("nearest() stays silent where nothing is near", () => {
  assert.equal(nearest("gpu", KEYS), undefined);
  assert.equal(nearest("concurrency", KEYS), undefined);
  assert.equal(nearest("needs", []), undefined);
});

Deno.test("nearest() takes no word of another length for a slip, however long both are", () => {
  const word = "a".repeat(90);
  assert.equal(nearest(word, ["a".repeat(99)]), undefined);
  assert.equal(nearest(word, ["a".repeat(95)]), "a".repeat(95));
  assert.equal(nearest(word, ["b".repeat(90)]), undefined);
});

Deno.test("editDistance() counts what every letter compared with every other gives, up to its limit", () => {
  const word = fc.string({ unit: fc.constantFrom(..."abc"), maxLength: 12 });
  fc.assert(fc.property(word, word, fc.integer({ min: 0, max: 12 }), (a, b, limit) => {
    const whole = distance(a, b);
    const found = editDistance(a, b, limit);
    if (whole <= limit) assert.equal(found, whole);
    else assert.ok(found > limit);
  }));
});

/** The definition, letter by letter. */
function distance(a: string, b: string): number {
  const rows: number[][] = [];
  for (let i = 0; i <= a.length; i++) {
    const row: number[] = rows[i] = [];
    for (let j = 0; j <= b.length; j++) {
      const cell = (di: number, dj: number) => rows[i - di]?.[j - dj] ?? Infinity;
      const cost = a[i - 1] === b[j - 1] ? 0 : 1;
      const isSwap = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      row[j] = i + j === 0 ? 0 : Math.min(
        cell(1, 0) + 1,
        cell(0, 1) + 1,
        cell(1, 1) + cost,
        isSwap ? cell(2, 2) + 1 : Infinity,
      );
    }
  }
  return rows[a.length]?.[b.length] ?? 0;
}
