import assert from "node:assert/strict";
import fc from "fast-check";
import { readSource } from "../../../src/document/source.ts";

function at(spot: { place: { line: number; column: number }; length: number }): string {
  return `${spot.place.line}:${spot.place.column}+${spot.length}`;
}

function problems(text: string): string[] {
  return readSource(text, "p.yaml").diagnostics.map((entry) =>
    `${entry.place.line}:${entry.place.column} ${entry.rule}: ${entry.message}`
  );
}

Deno.test("readSource() gives plain values and the place of every key and value", () => {
  const source = readSource("a: 1\nb:\n  - x\n  - { c: 'y' }\n", "p.yaml");
  assert.deepEqual(source.value, { a: 1, b: ["x", { c: "y" }] });
  assert.equal(at(source.pathSpot(["b"], "key")), "2:1+1");
  assert.equal(at(source.pathSpot(["b", 0], "value")), "3:5+1");
  assert.equal(at(source.pathSpot(["b", 1, "c"], "key")), "4:7+1");
  assert.equal(at(source.pathSpot(["b", 1, "c"], "value")), "4:10+3");
  assert.equal(source.pathSpot(["b", 1, "c"], "value").sourceLine, "  - { c: 'y' }");
});

Deno.test("pathSpot() stops at the last part that exists", () => {
  const source = readSource("a:\n  b: 1\n", "p.yaml");
  assert.equal(at(source.pathSpot(["a", "zz", "y"], "value")), "2:3+4");
  assert.equal(at(readSource("", "p.yaml").pathSpot(["a"], "value")), "1:1+1");
});

Deno.test("spelling() keeps numbers as they are written", () => {
  const value = readSource("a: 1e-4\nb: 1.10\nc: 0x1F\nd: '007'\n", "p.yaml");
  const map = value.value as object;
  assert.deepEqual(["a", "b", "c", "d"].map((key) => value.spelling(map, key)), [
    "1e-4",
    "1.10",
    "0x1F",
    "007",
  ]);
});

Deno.test("readSource() shares the value of an alias and points at its anchor from within", () => {
  const source = readSource("x: &one { k: v }\ny: *one\nz: &s text\nu: *s\n", "p.yaml");
  const map = source.value as Record<string, object>;
  assert.equal(map["x"], map["y"]);
  assert.equal(at(source.keySpot(map["y"] as object, "k")), "1:11+1");
  assert.equal(at(source.valueSpot(map, "u")), "4:4+2");
  assert.equal(at(source.spotWithin(map, "u", { index: 1, length: 2 })), "3:8+2");
});

Deno.test("readSource() merges maps: own keys first, then earlier merges", () => {
  const text = "a: &a { x: 1, y: 1 }\nb: &b { y: 2, z: 2 }\nc: { <<: [*a, *b], x: 0 }\n";
  const value = readSource(text, "p.yaml").value as Record<string, unknown>;
  assert.deepEqual(value["c"], { x: 0, y: 1, z: 2 });
});

Deno.test("readSource() treats __proto__ as a key like any other", () => {
  const value = readSource("__proto__: { a: 1 }\n", "p.yaml").value as object;
  assert.deepEqual(Object.keys(value), ["__proto__"]);
  assert.equal(Object.getPrototypeOf(value), Object.prototype);
});

Deno.test("spotWithin() finds a character in every style of scalar", () => {
  const text = [
    "plain: ab ${{ x }}",
    "single: 'it''s ${{ x }}'",
    'double: "q\\" \\u00e9 ${{ x }}"',
    "block: |",
    "  one",
    "    two ${{ x }}",
    "folded: >-",
    "  one",
    "  two ${{ x }}",
  ].join("\n");
  const source = readSource(text, "p.yaml");
  const map = source.value as Record<string, string>;
  const found = Object.entries(map).map(([key, value]) =>
    at(source.spotWithin(map, key, { index: value.indexOf("x }}"), length: 1 }))
  );
  assert.deepEqual(found, ["1:15+1", "2:20+1", "3:25+1", "6:13+1", "9:11+1"]);
});

Deno.test("spotWithin() points at the very character, whatever the text around it", () => {
  const word = fc.string({ unit: fc.constantFrom("a", "b", " ", "'", '"', "\\", "é", "\n", "-") });
  fc.assert(fc.property(word, word, (before, after) => {
    const text = `k: ${JSON.stringify(`${before}@${after}`)}\n`;
    const source = readSource(text, "p.yaml");
    const map = source.value as Record<string, string>;
    const spot = source.spotWithin(map, "k", { index: map["k"]?.indexOf("@") ?? 0, length: 1 });
    assert.equal(spot.sourceLine.charAt(spot.place.column - 1), "@");
  }));
});

Deno.test("readSource() names a key that is written twice, and where it stands first", () => {
  const [found] = readSource("a: 1\nb: 2\na: 3\n", "p.yaml").diagnostics;
  assert.equal(found?.message, 'key "a" is written twice');
  assert.equal(found?.place.line, 3);
  assert.match(found?.hint ?? "", /line 1/);
});

Deno.test("readSource() explains the traps of YAML", () => {
  assert.deepEqual(problems("env: {A: ${{ inputs.a }}}"), [
    "1:10 expression-in-flow: an expression inside { } or [ ] needs quotes, because YAML takes its braces for a map",
  ]);
  assert.deepEqual(problems("run: {{ inputs.a }}"), [
    "1:6 bare-braces: {{ }} is a YAML map, not an expression",
  ]);
  assert.deepEqual(problems("a:\n\t- b"), ["2:1 tab-indent: a tab is used for indentation"]);
  assert.deepEqual(problems("if: !cancelled()"), [
    "1:5 unknown-tag: YAML takes !cancelled() for a tag, so the value would be lost",
  ]);
  assert.deepEqual(problems("a: 'x\nb: 2\n"), [
    "1:4 yaml-syntax: the ' that opens here is never closed",
  ]);
  assert.deepEqual(problems("a: @x"), ["1:4 yaml-syntax: a plain value cannot start with @"]);
  assert.deepEqual(problems("a: 1\n---\nb: 1\n"), [
    "2:1 yaml-syntax: the file holds more than one document",
  ]);
  assert.deepEqual(problems("run: echo: hi"), [
    '1:10 yaml-syntax: a second ": " in one line makes a map inside a plain value',
  ]);
});

Deno.test("readSource() names unknown and circular aliases and bad merges", () => {
  assert.deepEqual(problems("x: &known 1\na: *other"), [
    "2:4 unknown-alias: unknown alias *other (known: &known)",
  ]);
  assert.deepEqual(problems("a: &x [*x]"), [
    "1:8 circular-alias: alias *x stands inside the value it refers to",
  ]);
  assert.deepEqual(problems("a: &x 1\nb: { <<: *x }"), [
    "2:10 bad-merge: << can only merge a map or a list of maps",
  ]);
});

Deno.test("readSource() refuses aliases that multiply without end", () => {
  const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
  for (let i = 1; i < 9; i++) {
    lines.push(`a${i}: &a${i} [${Array(10).fill(`*a${i - 1}`).join(", ")}]`);
  }
  assert.ok(problems(lines.join("\n")).some((line) => line.includes("alias-bomb")));
});
