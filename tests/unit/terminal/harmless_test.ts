import assert from "node:assert/strict";
import fc from "fast-check";
import { harmless, harmlessLines } from "../../../src/terminal/harmless.ts";

Deno.test("harmless() leaves ordinary text alone", () => {
  for (const text of ["", "epoch 1\tloss 0.5", "naïve 日本 🎉", "100% [####]"]) {
    assert.equal(harmless(text, { color: false }), text);
  }
});

Deno.test("harmless() takes out everything but colours, and those where there are none", () => {
  const cases: readonly (readonly [string, string, string])[] = [
    ["\x1b[31mred\x1b[0m", "red", "\x1b[31mred\x1b[0m\x1b[0m"],
    ["\x1b[2J\x1b[Hclear", "clear", "clear"],
    ["\x1b]0;title\x07x", "x", "x"],
    ["\x1b]8;;http://evil\x1b\\link", "link", "link"],
    ["\x1bPdcs\x1b\\after", "after", "after"],
    ["\x1b]52;c;ZXZpbA==", "", ""],
    ["\x9b2Jc1", "c1", "c1"],
    ["bell\x07 back\x08", "bell back", "bell back"],
    ["\x1bcreset", "reset", "reset"],
    ["\x1b[?1049hscreen", "screen", "screen"],
    ["\x1b[38;5;196mx", "x", "\x1b[38;5;196mx\x1b[0m"],
    ["\u202eevil\u202c", "evil", "evil"],
    ["\0nul", "nul", "nul"],
    ["end\x1b", "end", "end"],
  ];
  for (const [text, plain, coloured] of cases) {
    assert.equal(harmless(text, { color: false }), plain, JSON.stringify(text));
    assert.equal(harmless(text, { color: true }), coloured, JSON.stringify(text));
  }
});

Deno.test("harmless() leaves no control character in any text", () => {
  const nasty = fc.string({
    unit: fc.oneof(
      fc.constantFrom(
        "\x1b",
        "[",
        "]",
        "m",
        "0",
        ";",
        "\x07",
        "\x9b",
        "\x9d",
        "\\",
        "\r",
        "?",
        "h",
      ),
      fc.integer({ min: 0, max: 0xffff }).map((code) => String.fromCharCode(code)),
    ),
  });
  fc.assert(
    fc.property(nasty, (text) => {
      // deno-lint-ignore no-control-regex -- control characters are what must be gone
      assert.doesNotMatch(harmless(text, { color: false }), /[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
      const kept = harmless(text, { color: true });
      // deno-lint-ignore no-control-regex -- colours may stay
      assert.doesNotMatch(kept.replaceAll(/\x1b\[[0-9;:]*m/g, ""), /[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("harmlessLines() shows every line as harmless() does, whatever stands between them", () => {
  const line = fc.string({ unit: fc.constantFrom("a", " ", "$&", "\x1b[31m", "\x07", "é", "\t") });
  fc.assert(
    fc.property(fc.array(line, { minLength: 1 }), fc.boolean(), (lines, color) => {
      const between = "\n$1 │ ";
      const expected = lines.map((each) => harmless(each, { color })).join(between);
      assert.equal(harmlessLines(lines, { between, color }), expected);
    }),
  );
});
