import assert from "node:assert/strict";
import { posix } from "node:path";
import fc from "fast-check";
import * as path from "../../../src/core/path.ts";

/** Of what paths are made of, odd ones too. */
const anyPath = fc.array(
  fc.constantFrom("/", "/", "//", ".", "..", "...", "a", "b", "a.b", ".a", "a.", " ", "é", "~"),
  { maxLength: 8 },
).map((parts) => parts.join(""));
const RUNS = { numRuns: 3000 };

for (const name of ["normalize", "dirname", "basename", "extname", "isAbsolute"] as const) {
  Deno.test(`${name}() does what Node's does`, () => {
    fc.assert(
      fc.property(anyPath, (text) => {
        assert.equal(path[name](text), posix[name](text));
      }),
      RUNS,
    );
  });
}

for (const name of ["join", "resolve"] as const) {
  Deno.test(`${name}() does what Node's does`, () => {
    fc.assert(
      fc.property(fc.array(anyPath, { maxLength: 4 }), (texts) => {
        assert.equal(path[name](...texts), posix[name](...texts));
      }),
      RUNS,
    );
  });
}

Deno.test("relative() does what Node's does", () => {
  fc.assert(
    fc.property(anyPath, anyPath, (from, to) => {
      assert.equal(path.relative(from, to), posix.relative(from, to));
    }),
    RUNS,
  );
});

Deno.test("what stands between parts and between paths is Node's, too", () => {
  assert.deepEqual([path.sep, path.delimiter], [posix.sep, posix.delimiter]);
});
