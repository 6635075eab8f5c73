import assert from "node:assert/strict";
import fc from "fast-check";
import { quote, quoteAll } from "../../../src/core/shell.ts";

const words = fc.array(
  fc.oneof(
    fc.string({ unit: "binary" }),
    fc.string({ unit: fc.constantFrom(..."'\"\\$`!*?[]{}()<>|&;#~=% \t\n\rabc-") }),
  ).map((word) => word.replaceAll("\0", "")).filter((word) => word.isWellFormed()),
  { minLength: 1, maxLength: 8 },
);

Deno.test("quoteAll() gives a real sh exactly the words it was given", () => {
  const shells = ["sh", "bash"].filter(isInstalled);
  assert.ok(shells.includes("sh"));
  for (const shell of shells) {
    fc.assert(
      fc.property(words, (list) => assert.deepEqual(wordsSeenBy(shell, list), list)),
      { numRuns: 60 },
    );
  }
});

Deno.test("quote() keeps a word together in the places where shells expand most", () => {
  for (const word of ["", "-n", "~", "=ls", "a=b", "$HOME", "*", "'", "a'b'c", "\n", "!!"]) {
    assert.deepEqual(wordsSeenBy("sh", [word]), [word]);
  }
});

Deno.test("quote() leaves plain words readable", () => {
  assert.equal(quote("/usr/bin/env-2.0"), "/usr/bin/env-2.0");
  assert.equal(quote("lr=1e-4"), "lr=1e-4");
  assert.equal(quote("it's"), `'it'\\''s'`);
});

Deno.test("quote() refuses NUL, which no shell can carry", () => {
  assert.throws(() => quote("a\0b"), { code: "usage" });
});

/** printf stops each word with NUL, the one character that no word holds. */
function wordsSeenBy(shell: string, list: readonly string[]): string[] {
  const { stdout, success } = new Deno.Command(shell, {
    args: ["-c", `printf '%s\\0' ${quoteAll(list)}`],
  }).outputSync();
  assert.ok(success);
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(stdout).split("\0").slice(0, -1);
}

function isInstalled(shell: string): boolean {
  return new Deno.Command("sh", { args: ["-c", `command -v ${shell}`], stdout: "null" })
    .outputSync().success;
}
