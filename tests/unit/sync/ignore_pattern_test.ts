import assert from "node:assert/strict";
import fc from "fast-check";
import { parseNamePattern, parsePathPattern } from "../../../src/sync/ignore_pattern.ts";

const NAMES:
  readonly (readonly [pattern: string, fits: readonly string[], not: readonly string[]])[] = [
    ["*.log", [".log", "a.log"], ["a.logs", "log"]],
    ["a*b*c", ["abc", "axbxxc", "abcbc"], ["ab", "acb", "abcd"]],
    ["?[!a]", ["xb", "a]"], ["xa", "x"]],
    ["[]a-c]", ["]", "b"], ["-", "d"]],
    ["[a-]", ["a", "-"], ["b"]],
    ["[[:digit:][:upper:]]", ["7", "Q"], ["q", ":"]],
    ["[[:x]", ["[", ":", "x"], ["y"]],
    ["\\*\\[", ["*["], ["a["]],
  ];

for (const [pattern, fits, not] of NAMES) {
  Deno.test(`parseNamePattern() reads ${pattern}`, () => {
    const matches = parseNamePattern(pattern);
    assert.deepEqual(fits.filter((name) => !matches?.(name)), []);
    assert.deepEqual(not.filter((name) => matches?.(name)), []);
  });
}

const PATHS: typeof NAMES = [
  ["a/*", ["a/b", "a/.b"], ["a", "a/b/c", "b/a"]],
  ["a/**", ["a/b", "a/b/c"], ["a", "ab"]],
  ["**/a", ["a", "x/a", "x/y/a"], ["xa", "a/x"]],
  ["a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["ab", "a/xb"]],
  ["**/**/b*/c", ["b/c", "x/y/bb/c"], ["b", "x/c"]],
  ["x/a**b/c", ["x/ab/c", "x/axb/c"], ["x/a/b"]],
  ["a/[!x]b", ["a/yb"], ["a/xb", "a//b"]],
];

for (const [pattern, fits, not] of PATHS) {
  Deno.test(`parsePathPattern() reads ${pattern}`, () => {
    const matches = parsePathPattern(pattern);
    assert.deepEqual(fits.filter((path) => !matches?.(path)), []);
    assert.deepEqual(not.filter((path) => matches?.(path)), []);
  });
}

Deno.test("a class or a sign that does not end matches nothing", () => {
  for (const pattern of ["[a", "a\\", "[[:none:]]", "[[:alpha:]", "[!", "[a\\"]) {
    assert.equal(parseNamePattern(pattern), undefined, pattern);
  }
});

/** Tells what a pattern means by trying every way, letter by letter. */
function naive(pattern: string, text: string): boolean {
  if (pattern === "") return text === "";
  if (pattern.startsWith("**/") && naive(pattern.slice(3), text)) return true;
  if (pattern.startsWith("**/") || pattern === "**") {
    return naive(pattern.slice(2), text) ||
      text !== "" && naive(`.${pattern}`, `.${text.slice(1)}`);
  }
  if (pattern.startsWith(".**")) {
    const rest = pattern.slice(1);
    return naive(rest.slice(2), text.slice(1)) ||
      text.length > 1 && naive(pattern, text.slice(1));
  }
  const [sign = ""] = pattern;
  const rest = pattern.slice(1);
  if (sign === "*") {
    return naive(rest, text) || text !== "" && text[0] !== "/" && naive(pattern, text.slice(1));
  }
  const fits = sign === "?" ? text !== "" && text[0] !== "/" : text[0] === sign;
  return fits && naive(rest, text.slice(1));
}

Deno.test("parsePathPattern() finds what trying every way finds", () => {
  const part = fc.constantFrom("a", "b", "*", "?", "**", "a*", "*b", "a*b", "?b*");
  const pattern = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
  const name = fc.constantFrom("a", "b", "ab", "aab", "abb");
  const path = fc.array(name, { minLength: 1, maxLength: 5 }).map((names) => names.join("/"));
  fc.assert(
    fc.property(pattern, path, (pattern, path) => {
      assert.equal(parsePathPattern(pattern)?.(path) ?? false, naive(pattern, path));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("dozens of wildcards against long names take a moment", () => {
  const long = "a".repeat(250);
  assert.equal(parseNamePattern(`${"*a".repeat(60)}b`)?.(long), false);
  assert.equal(parseNamePattern(`${"*[ab]".repeat(60)}*c*a`)?.(long), false);
  const path = Array(200).fill(long.slice(0, 10)).join("/");
  assert.equal(parsePathPattern(`${"**/*a/".repeat(60)}b*a`)?.(path), false);
  assert.equal(parsePathPattern(`${"**/".repeat(5000)}aaaaaaaaaa`)?.(path), true);
});
