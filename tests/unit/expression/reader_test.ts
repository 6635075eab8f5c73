import assert from "node:assert/strict";
import fc from "fast-check";
import type { Diagnostic } from "../../../src/document/diagnostic.ts";
import { readSource } from "../../../src/document/source.ts";
import type { Text } from "../../../src/expression/text.ts";
import { TextReader } from "../../../src/expression/reader.ts";

interface Read {
  readonly text: Text;
  readonly reader: TextReader;
  readonly diagnostics: readonly Diagnostic[];
}

function read(yaml: string): Read {
  const diagnostics: Diagnostic[] = [];
  const source = readSource(yaml, "p.yaml");
  const reader = new TextReader(source, diagnostics);
  return { text: reader.text(source.value as object, "k"), reader, diagnostics };
}

function parts(yaml: string): string[] {
  return read(yaml).text.parts.map((part) =>
    part.kind === "literal" ? `=${part.value}` : `$${part.source}`
  );
}

Deno.test("text() splits a scalar into literals and expressions", () => {
  assert.deepEqual(parts("k: a ${{ b }} c${{d}}"), ["=a ", "$ b ", "= c", "$d"]);
  assert.deepEqual(parts("k: plain $HOME ${HOME}"), ["=plain $HOME ${HOME}"]);
  assert.deepEqual(parts("k: ''"), ["="]);
  assert.deepEqual(parts("k: 1e-4"), ["=1e-4"]);
});

Deno.test("text() finds the end of an expression behind braces and quotes inside it", () => {
  assert.deepEqual(parts("k: \"${{ {'a': {'b': 1}} }}!\""), ["$ {'a': {'b': 1}} ", "=!"]);
  assert.deepEqual(parts("k: \"${{ '}}' }}!\""), ["$ '}}' ", "=!"]);
  assert.deepEqual(parts("k: \"${{ 'it\\\\'s }}' }}!\""), ["$ 'it\\'s }}' ", "=!"]);
});

Deno.test("text() puts the place of an expression on its line in a block", () => {
  const { text } = read("k: |\n  one\n    two ${{ x }}\n");
  const part = text.parts.find((part) => part.kind === "expression");
  assert.deepEqual(part?.kind === "expression" && part.place, {
    file: "p.yaml",
    line: 3,
    column: 9,
  });
});

Deno.test("text() splits what was joined, whatever the literals are", () => {
  const literal = fc.string({ unit: fc.constantFrom("a", " ", "{", "}", "'", '"', "\n", "é") })
    .filter((value) => !value.includes("{{"));
  fc.assert(fc.property(fc.array(literal, { maxLength: 4 }), (literals) => {
    const value = literals.join("${{ x }}");
    // A brace or a dollar right before an expression would belong to it.
    fc.pre(!/[{$]\$\{\{/.test(value));
    const { text, diagnostics } = read(`k: ${JSON.stringify(value)}\n`);
    const joined = text.parts.map((part) =>
      part.kind === "literal" ? part.value : `\${{${part.source}}}`
    );
    assert.equal(joined.join(""), value);
    const found = text.parts.filter((part) => part.kind === "expression").length;
    assert.equal(found, Math.max(0, literals.length - 1));
    assert.deepEqual(diagnostics, []);
  }));
});

Deno.test("an expression that is never closed is text, and reported where it opens", () => {
  const { text, diagnostics } = read("k: a ${{ b");
  assert.equal(text.constant, "a ${{ b");
  assert.deepEqual(diagnostics.map(({ rule, place }) => [rule, place.column]), [
    ["unclosed-expression", 6],
  ]);
});

Deno.test("takeUses() hands out every expression once, with the spot of any part of it", () => {
  const { reader } = read("k: ${{ inputs.epochs }} ${{ matrix.lr }}");
  const uses = reader.takeUses();
  assert.deepEqual(uses.map((use) => use.source), [" inputs.epochs ", " matrix.lr "]);
  assert.equal(uses[1]?.spot({ start: 8, end: 10 }).place.column, 36);
  assert.deepEqual(reader.takeUses(), []);
});
