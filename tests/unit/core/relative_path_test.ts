import assert from "node:assert/strict";
import { join, normalize } from "node:path/posix";
import fc from "fast-check";
import { asRelativePath, relativePathFault } from "../../../src/core/relative_path.ts";

Deno.test("asRelativePath() takes what lies below a folder", () => {
  const names = ["a", "a/b.txt", ".hidden", "..a", "a..", "...", "a b/ü/名", "-rf", "$(x)", "a\\b"];
  for (const text of names) assert.equal(asRelativePath(text), text);
});

Deno.test("relativePathFault() says what is wrong with everything else", () => {
  const faults: Record<string, RegExp> = {
    "": /empty/,
    "/etc/passwd": /absolute/,
    "//a": /absolute/,
    "..": /upwards/,
    "a/../b": /upwards/,
    "a/..": /upwards/,
    ".": /only a dot/,
    "./a": /only a dot/,
    "a/./b": /only a dot/,
    "a//b": /empty part/,
    "a/": /empty part/,
    "a\0b": /NUL/,
    "a\nb": /control/,
    "\x1b[31m": /control/,
    "\x7f": /control/,
    "\x9b31m": /control/,
    "\ud800": /Unicode/,
    [`${"n".repeat(256)}/a`]: /part longer than 255/,
    ["ü".repeat(128)]: /part longer than 255/,
    ["a/".repeat(2048) + "a"]: /longer than 4096/,
  };
  for (const [text, fault] of Object.entries(faults)) {
    assert.match(relativePathFault(text) ?? "none", fault, JSON.stringify(text.slice(0, 20)));
    assert.equal(asRelativePath(text), undefined);
  }
});

Deno.test("asRelativePath() takes the longest names that a file system takes", () => {
  assert.ok(asRelativePath("n".repeat(255)));
  assert.ok(asRelativePath("a/".repeat(2047) + "aa"));
});

Deno.test("asRelativePath() takes control characters only where a tree of the user's own has them", () => {
  assert.ok(asRelativePath("new\nline", { allowControls: true }));
  assert.equal(asRelativePath("a\0b", { allowControls: true }), undefined);
  assert.equal(asRelativePath("a/..\n/../b", { allowControls: true }), undefined);
});

/** Mostly the parts that paths are attacked with. */
const part = fc.oneof(
  fc.constantFrom("", ".", "..", "...", "a", "\n", "\0", ".git"),
  fc.string({ unit: "binary", maxLength: 8 }),
);
const path = fc.array(part, { maxLength: 6 }).map((parts) => parts.join("/"));

Deno.test("asRelativePath() never takes what leaves its folder, and takes nothing twice", () => {
  fc.assert(
    fc.property(path, fc.boolean(), (text, allowControls) => {
      const taken = asRelativePath(text, { allowControls });
      if (taken === undefined) return;
      assert.equal(join("/root/folder", taken).startsWith("/root/folder/"), true);
      // Two different paths are two different files: nothing in it is cut away.
      assert.equal(normalize(taken), taken);
      assert.equal(new TextDecoder().decode(new TextEncoder().encode(taken)), taken);
    }),
  );
});

Deno.test("asRelativePath() takes every path made of plain parts", () => {
  const plain = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/);
  fc.assert(
    fc.property(fc.array(plain, { minLength: 1, maxLength: 8 }), (parts) => {
      assert.equal(asRelativePath(parts.join("/")), parts.join("/"));
    }),
  );
});
