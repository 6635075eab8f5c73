import assert from "node:assert/strict";
import fc from "fast-check";
import { parseGlob } from "../../../src/core/glob.ts";

const CASES: readonly (readonly [glob: string, fits: readonly string[], not: readonly string[]])[] =
  [
    ["*.pt", ["a.pt", "b.c.pt", "a.pt/below"], [".pt", ".a.pt", "a.ptx", "x/a.pt"]],
    ["a*b*c", ["abc", "axxbxxc", "abcbc"], ["ab", "acb", "abcd"]],
    ["**", ["a", "a/b", "a/.b"], [".a", ".a/b"]],
    ["a/**", ["a", "a/b/c", "a/.b"], ["b/a", "ab"]],
    ["*/**", ["a/b", "a/b/c"], ["a", ".a/b"]],
    ["**/x", ["x", "a/x", "a/b/x", "a/x/below"], [".a/x", "ax"]],
    ["a/**/b", ["a/b", "a/x/b", "a/x/y/b"], ["a/.x/b", "b"]],
    ["a**b/c", ["ab/c", "axb/c"], ["a/b/c"]],
    ["?", ["a", "é", "😀"], ["ab", "."]],
    ["[ab-d]1", ["a1", "b1", "c1", "d1"], ["e1", "-1"]],
    ["[!a]", ["b", "!"], ["a", "."]],
    ["[^a]", ["b"], ["a"]],
    ["[]a]", ["]", "a"], ["b"]],
    ["[a-]", ["a", "-"], ["b"]],
    ["a[b", ["a[b"], ["ab"]],
    ["{a,b{c,d}}.*", ["a.x", "bc.x", "bd.x"], ["b.x", "c.x"]],
    ["\\*.pt", ["*.pt"], ["a.pt"]],
    [".*", [".a", ".a/b"], ["a"]],
    ["a(1)!.*", ["a(1)!.pt"], ["a1.pt"]],
  ];

for (const [glob, fits, not] of CASES) {
  Deno.test(`parseGlob() reads ${glob}`, () => {
    const matches = parseGlob(glob);
    assert.deepEqual(fits.filter((path) => !matches(path)), []);
    assert.deepEqual(not.filter(matches), []);
  });
}

/** Tells what a glob means by trying every way, letter by letter. */
function naive(glob: string, name: string): boolean {
  if (glob === "") return name === "";
  if (glob[0] === "*") {
    return naive(glob.slice(1), name) || name !== "" && naive(glob, name.slice(1));
  }
  return name !== "" && (glob[0] === "?" || glob[0] === name[0]) &&
    naive(glob.slice(1), name.slice(1));
}

Deno.test("parseGlob() finds what trying every way finds", () => {
  const glob = fc.array(fc.constantFrom("a", "b", "*", "?"), { minLength: 1, maxLength: 6 });
  const name = fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 8 });
  fc.assert(fc.property(glob, name, (globParts, nameParts) => {
    const text = globParts.join("");
    if (text === "**") return;
    assert.equal(parseGlob(text)(nameParts.join("")), naive(text, nameParts.join("")));
  }));
});

Deno.test("parseGlob() reads every text, and tells about every path", () => {
  const text = fc.string({ unit: fc.constantFrom(..."ab*?[]{}!-^,/\\.é") });
  fc.assert(fc.property(text, text, (glob, path) => {
    assert.equal(typeof parseGlob(glob)(path), "boolean");
  }));
});
