import assert from "node:assert/strict";
import { cpuUsage } from "node:process";
import fc from "fast-check";
import {
  compilePattern,
  loadPatterns,
  LONGEST_PATTERN,
  PatternFault,
} from "../../../src/core/pattern.ts";

await loadPatterns();

function faultOf(source: string): PatternFault {
  try {
    compilePattern(source);
  } catch (error) {
    if (error instanceof PatternFault) return error;
    throw error;
  }
  throw new Error(`${source} was taken`);
}

Deno.test("pattern: what needs backtracking is refused, at its very place", () => {
  const cases: [source: string, what: RegExp, part: string][] = [
    ["loss(?=:)", /^look-ahead/, "(?="],
    ["loss(?!x)", /^look-ahead/, "(?!"],
    ["v(?<=v)1", /^look-behind/, "(?<="],
    ["v(?<!v)1", /^look-behind/, "(?<!"],
    [String.raw`(a)-\1`, /^a back-reference/, String.raw`\1`],
  ];
  for (const [source, what, part] of cases) {
    const fault = faultOf(source);
    assert.match(fault.message, what);
    assert.equal(source.slice(fault.at.start, fault.at.end), part);
    assert.match(fault.hint ?? "", /put \( \) around/);
  }
});

Deno.test("pattern: what is no pattern is told with its part", () => {
  const fault = faultOf("ab[c");
  assert.equal(fault.message, "missing closing ]");
  assert.deepEqual(fault.at, { start: 2, end: 4 });
  assert.match(faultOf("a{2000}").message, /repeat count/);
  assert.match(faultOf("a".repeat(LONGEST_PATTERN + 1)).message, /longer than/);
});

Deno.test("pattern: test looks anywhere, fits wants the whole text", () => {
  const tag = compilePattern("v[0-9]+|main");
  assert.equal(tag.test("x v1 y"), true);
  assert.equal(tag.fits("v12"), true);
  assert.equal(tag.fits("v12 "), false);
  assert.equal(tag.fits("main"), true);
});

Deno.test("pattern: the last match counts, its first group where it has one", () => {
  const text = "loss=0.5\nloss=0.25\nend";
  assert.equal(compilePattern("^loss=([0-9.]+)$", { multiline: true }).last(text), "0.25");
  assert.equal(compilePattern("loss=[0-9.]+").last(text), "loss=0.25");
  assert.equal(compilePattern("nothing").last(text), undefined);
});

Deno.test("pattern: spellings of JavaScript are understood", () => {
  assert.equal(compilePattern(String.raw`\u0041(?<rest>b)\/`).last("xAb/"), "b");
});

Deno.test("pattern: finds what JavaScript finds in ordinary patterns and texts", () => {
  const piece = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "a+", "b*", "(a|b)", "a?", "^", "$");
  fc.assert(fc.property(
    fc.array(piece, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("")),
    fc.string({ unit: fc.constantFrom("a", "b", "c", "\n"), maxLength: 12 }),
    (source, text) => {
      assert.equal(compilePattern(source).test(text), new RegExp(source).test(text));
    },
  ));
});

Deno.test("pattern: work grows with the text and no faster", () => {
  // Counted by asking for twice and eight times the text; an engine that backtracks is not asked at
  // all, so an ordinary pattern is enough. Processor time, because machines are busy.
  const line = "step 12 images/s: 123.45 loss=0.25\n";
  const pattern = compilePattern("^step ([0-9]+) .*loss=([0-9.]+)$", { multiline: true });
  const timeOf = (bytes: number) => {
    const text = line.repeat(Math.ceil(bytes / line.length));
    const times = [1, 2, 3].map(() => {
      const start = cpuUsage();
      assert.equal(pattern.last(text), "12");
      const { user, system } = cpuUsage(start);
      return (user + system) / 1000;
    });
    return Math.min(...times);
  };
  timeOf(2 ** 15);
  const [small, large] = [timeOf(2 ** 17), timeOf(2 ** 20)];
  // Eight times the text: eight times as long; 64 times would be quadratic.
  assert.ok(large < small * 32, `${small} ms for 128 KiB, ${large} ms for 1 MiB`);
});
