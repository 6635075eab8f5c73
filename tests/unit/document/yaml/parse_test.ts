import assert from "node:assert/strict";
import fc from "fast-check";
import { drop, insert, RepairedText } from "../../../../src/document/yaml/repair.ts";
import { readSource } from "../../../../src/document/source.ts";
import { parseDocument } from "../../../../src/document/yaml/yaml.ts";

const SOUND = `name: train
inputs: { n: { type: integer, default: 3 } }
steps:
  - id: a
    run: |
      echo "one"
      [ -f x ] && echo 'two'
  - { id: b, needs: [a], run: 'it''s' }
  - id: c
    needs: # both
      - a
      - b
    env: {
      A: "\${{ inputs.n }}",
      B: 2
    }
    run: "a\\tb"
`;

Deno.test("MendedText knows where each character came from", () => {
  const repaired = new RepairedText("abcdef", [insert(4, "++"), drop(1, 2), {
    start: 2,
    end: 3,
    text: "xyz",
  }]);
  assert.equal(repaired.text, "axyzd++ef");
  const origins = [...repaired.text, ""].map((_, offset) => repaired.original(offset));
  assert.deepEqual(origins, [0, 2, 3, 3, 3, 4, 4, 4, 5, 6]);
});

Deno.test("readSource() finds nothing wrong with a sound text", () => {
  const source = readSource(SOUND, "p.yaml");
  assert.deepEqual(source.diagnostics, []);
  assert.deepEqual(source.losses, []);
});

Deno.test("readSource() reads every text to an end, and reports what YAML refuses", () => {
  const pieces = fc.constantFrom(...":-{}[],'\"&*!|>#%@`\t\n\\? ", "- ", ": ", "{{", "${{", "\r\n");
  const change = fc.record({
    at: fc.nat(SOUND.length),
    length: fc.nat(6),
    text: fc.oneof(fc.constant(""), pieces),
  });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const text = changes.reduce(
        (before, { at, length, text }) => before.slice(0, at) + text + before.slice(at + length),
        SOUND,
      );
      const { diagnostics, losses } = readSource(text, "p.yaml");
      const document = parseDocument(text, { uniqueKeys: false, stringKeys: true, merge: true });
      if (document.errors.length > 0) assert.ok(diagnostics.length > 0);
      else assert.deepEqual(losses, []);
      for (const { place, length, sourceLine } of diagnostics) {
        assert.equal(sourceLine, text.split(/\r?\n/)[place.line - 1]);
        assert.ok(place.column - 1 + length <= Math.max(1, sourceLine.length + 1));
      }
    }),
    { numRuns: 400 },
  );
});

Deno.test("readSource() says of too deep a file that it is, however deep and in whatever style", () => {
  const styles: Readonly<Record<string, (depth: number) => string>> = {
    brackets: (depth) => `a: ${"[".repeat(depth)}${"]".repeat(depth)}\n`,
    braces: (depth) => `a: ${"{a: ".repeat(depth)}1${"}".repeat(depth)}\n`,
    dashes: (depth) => `a:\n  ${"- ".repeat(depth)}b\n`,
  };
  for (const [style, text] of Object.entries(styles)) {
    for (const depth of [150, 3000, 20_000]) {
      const { diagnostics } = readSource(text(depth), "deep.yaml");
      assert.deepEqual(diagnostics.map(({ rule }) => rule), ["deep-nesting"], `${style} ${depth}`);
    }
    assert.deepEqual(readSource(text(90), "flat.yaml").diagnostics, [], style);
  }
});
