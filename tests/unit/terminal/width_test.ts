import assert from "node:assert/strict";
import fc from "fast-check";
import stringWidth from "string-width";
import {
  cut,
  displayWidth,
  padEnd,
  padStart,
  wrap,
  wrapHanging,
} from "../../../src/terminal/width.ts";

Deno.test("displayWidth() counts columns, not characters", () => {
  const cases: readonly (readonly [string, number])[] = [
    ["", 0],
    ["train", 5],
    ["日本", 4],
    ["é", 1],
    ["e\u0301", 1],
    ["🎉", 2],
    ["\x1b[31mred\x1b[0m", 3],
    ["✔ ok …", 6],
    ["한국", 4],
    // Drawn as text; string-width knows this from version 9 on.
    ["⚡\ufe0e", 1],
    ["🇩", 2],
  ];
  for (const [text, width] of cases) assert.equal(displayWidth(text), width, text);
});

Deno.test("displayWidth() has what terminals draw as one in as many columns as string-width", () => {
  const parts = [
    "a",
    "é",
    "日",
    "한",
    "e\u0301",
    " ",
    "…",
    "✔",
    "⚡",
    "✅",
    "❤",
    "❤\ufe0f",
  ]
    .concat(["👩‍👩‍👧", "👍🏽", "🏳️‍🌈", "1️⃣", "🇩🇪", "☎", "⚙️", "ｱ", "│", "🕹", "①", "\u200b", "〈"]);
  fc.assert(fc.property(fc.array(fc.constantFrom(...parts), { maxLength: 6 }), (some) => {
    const text = some.join("");
    assert.equal(displayWidth(text), stringWidth(text), JSON.stringify(text));
  }));
  const other: string[] = [];
  for (let point = 0xa1; point < 0x20000; point++) {
    const char = String.fromCodePoint(point);
    // Of one kind, and many; and half a flag, which string-width takes for a wide one from version 9 on.
    if (/[\p{C}\p{Unified_Ideograph}\uac00-\ud7a3\p{Regional_Indicator}]/u.test(char)) continue;
    if (displayWidth(char) !== stringWidth(char)) other.push(char);
  }
  assert.deepEqual(other, []);
});

Deno.test("cut() never gives more columns than asked for", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", "é", "日", "🎉", "e\u0301", " ", "…") }),
      fc.nat(30),
      (text, width) => {
        assert.ok(displayWidth(cut(text, width)) <= width);
      },
    ),
  );
  assert.equal(cut("training", 5), "trai…");
  assert.equal(cut("日本語", 4), "日…");
  assert.equal(cut("abc", 3), "abc");
  assert.equal(cut("👩‍👩‍👧👩‍👩‍👧👩‍👩‍👧", 5), "👩‍👩‍👧👩‍👩‍👧…", "nobody is torn from a family");
});

Deno.test("padEnd() and padStart() fill up to the width", () => {
  assert.equal(padEnd("日", 4), "日  ");
  assert.equal(padStart("7", 3), "  7");
  assert.equal(padEnd("long", 2), "long");
});

Deno.test("wrap() breaks at blanks", () => {
  assert.deepEqual(wrap("the disk is full", 8), ["the disk", "is full"]);
  assert.deepEqual(wrap("unbreakable", 4), ["unbreakable"]);
});

Deno.test("wrapHanging() sets in what follows the first line", () => {
  assert.deepEqual(wrapHanging("the disk of gpu1 is full", { width: 12, indent: 2 }), [
    "  the disk",
    "    of gpu1",
    "    is full",
  ]);
  assert.deepEqual(wrapHanging("a b c", { width: Number.POSITIVE_INFINITY, indent: 1 }), [
    " a b c",
  ]);
});
