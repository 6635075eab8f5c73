import assert from "node:assert/strict";
import fc from "fast-check";
import { formatDuration, parseDuration } from "../../../src/core/duration.ts";

Deno.test("parseDuration() reads numbers with units", () => {
  const cases: Record<string, number> = {
    "250ms": 250,
    "90s": 90_000,
    "1h30m": 5_400_000,
    "0.5s": 500,
    "2d": 172_800_000,
    " 5m ": 300_000,
    "0s": 0,
  };
  for (const [text, ms] of Object.entries(cases)) assert.equal(parseDuration(text), ms, text);
});

Deno.test("parseDuration() refuses what has no unit or makes no sense", () => {
  for (const text of ["", "30", "m", "-5s", "5 m", "1h 30m", "5x", "1e3s", "5sm", ".5s"]) {
    assert.equal(parseDuration(text), undefined, text);
  }
});

Deno.test("parseDuration() adds up its parts", () => {
  const parts = fc.array(fc.tuple(fc.nat(1000), fc.constantFrom("ms", "s", "m", "h", "d")), {
    minLength: 1,
    maxLength: 4,
  });
  fc.assert(fc.property(parts, (list) => {
    const sum = list.reduce((total, [n, unit]) => total + (parseDuration(`${n}${unit}`) ?? 0), 0);
    assert.equal(parseDuration(list.map(([n, unit]) => `${n}${unit}`).join("")), sum);
  }));
});

Deno.test("formatDuration() uses two units at most", () => {
  const cases: readonly (readonly [number, string])[] = [
    [0, "0ms"],
    [850, "850ms"],
    [4200, "4.2s"],
    [59_949, "59.9s"],
    [59_950, "1m 00s"],
    [185_000, "3m 05s"],
    [3_599_600, "1h 00m"],
    [7_800_000, "2h 10m"],
    [90_000_000, "1d 01h"],
  ];
  for (const [ms, text] of cases) assert.equal(formatDuration(ms), text);
  assert.equal(formatDuration(-3_594_577), "0ms", "a clock that was set back");
});
