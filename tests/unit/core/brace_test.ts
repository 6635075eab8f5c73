import assert from "node:assert/strict";
import fc from "fast-check";
import { expandBraces } from "../../../src/core/brace.ts";

Deno.test("expandBraces() gives a pattern for each alternative, nested ones too", () => {
  assert.deepEqual(expandBraces("a/*.{csv,json}"), ["a/*.csv", "a/*.json"]);
  assert.deepEqual(expandBraces("{a,{b,c}}/x").toSorted(), ["a/x", "b/x", "c/x"]);
  assert.deepEqual(expandBraces("a{,}{b,b}"), ["ab"]);
  assert.deepEqual(expandBraces("plain{}[ab]"), ["plain{}[ab]"]);
});

Deno.test("expandBraces() counts, as shells do", () => {
  assert.deepEqual(expandBraces("run{1..3}"), ["run1", "run2", "run3"]);
  assert.deepEqual(expandBraces("{08..10}"), ["08", "09", "10"]);
  assert.deepEqual(expandBraces("{a..e..2}"), ["a", "c", "e"]);
  assert.deepEqual(expandBraces("{3..-1..2}"), ["3", "1", "-1"]);
  assert.deepEqual(expandBraces("{1..}{..2}{a..2}"), ["{1..}{..2}{a..2}"]);
});

Deno.test("expandBraces() leaves what is no list as it is", () => {
  for (
    const text of ["{a", "a}", "{a,b", "{a,{b", "{}", "{a}", "\\{a,b}", "\\{a,b\\}", "}{", ","]
  ) {
    assert.deepEqual(expandBraces(text), [text]);
  }
  assert.deepEqual(expandBraces("{a,b\\,c}"), ["a", "b\\,c"]);
  assert.deepEqual(expandBraces("{x,{a}}"), ["x", "{a}"]);
  assert.deepEqual(expandBraces("{{a,b}"), ["{a", "{b"]);
});

Deno.test("expandBraces() refuses more patterns than anybody writes, before it makes them", () => {
  assert.equal(expandBraces("{1..1000}").length, 1000);
  assert.equal(
    expandBraces(`{${Array.from({ length: 300 }, (_, at) => `f${at}`).join()}}`).length,
    300,
  );
  for (const text of ["{0,1}".repeat(10), "{1..1001}", "{1..99999999}", "{a,b}".repeat(5000)]) {
    assert.throws(() => expandBraces(text), {
      name: "GlobFault",
      message: /more than 1000 patterns/,
    });
  }
  const long = "x".repeat(2000);
  assert.throws(() => expandBraces(`${long}{1..60}`), { message: /100000 characters/ });
  assert.throws(() => expandBraces("{".repeat(5000)), { message: /50 braces/ });
  assert.throws(() => expandBraces("{a,".repeat(60) + "}".repeat(60)), { message: /50 braces/ });
});

Deno.test("expandBraces() reads every text", () => {
  const text = fc.string({ unit: fc.constantFrom(..."{{}},,a.\\1"), maxLength: 30 });
  fc.assert(fc.property(text, (text) => {
    try {
      assert.ok(expandBraces(text).length > 0);
    } catch (error) {
      assert.equal((error as Error).name, "GlobFault");
    }
  }));
});
