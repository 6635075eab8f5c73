import assert from "node:assert/strict";
import fc from "fast-check";
import { type Look, PLAIN, renderAnsi } from "../../../src/report/ansi.ts";

const markupOf = (line: string, look: Look = PLAIN) => renderAnsi(line, look).markup;

Deno.test("renderAnsi() turns colours and weights into classes", () => {
  assert.equal(markupOf("a \x1b[31mred\x1b[0m b"), 'a <i class="c1">red</i> b');
  assert.equal(markupOf("\x1b[1;92mok\x1b[22;39m!"), '<i class="c10 bo">ok</i>!');
  assert.equal(markupOf("\x1b[41;97m X \x1b[m"), '<i class="c15 k1"> X </i>');
  assert.equal(markupOf("\x1b[7mx"), '<i class="k7">x</i>');
  assert.equal(markupOf("\x1b[7;31mx"), '<i class="k1">x</i>');
  assert.equal(markupOf("\x1b[2;3;4;9mx"), '<i class="di it un st">x</i>');
});

Deno.test("renderAnsi() finds the nearest of 16 for the others", () => {
  assert.equal(markupOf("\x1b[38;5;196mx"), '<i class="c9">x</i>');
  assert.equal(markupOf("\x1b[38;2;0;200;0mx"), '<i class="c2">x</i>');
  assert.equal(markupOf("\x1b[48;5;255mx"), '<i class="k7">x</i>');
  assert.equal(markupOf("\x1b[38:5:4mx"), '<i class="c4">x</i>');
});

Deno.test("renderAnsi() carries the look from line to line until it is taken back", () => {
  const first = renderAnsi("\x1b[33mone", PLAIN);
  const second = renderAnsi("two\x1b[0m", first.look);
  assert.equal(second.markup, '<i class="c3">two</i>');
  assert.equal(second.look, PLAIN);
});

Deno.test("renderAnsi() obeys nothing else, and leaves no half of it", () => {
  for (
    const line of [
      "\x1b]0;title\x07a",
      "\x1b]8;;https://example.com\x1b\\a",
      "\x1b[2J\x1b[Ha",
      "\x9b31;7ya",
      "\x1bPdata\x1b\\a",
      "\x1b[?25la\x07\x08",
      "\x1b[38;5ma",
      "\x1b[99999ma",
      "a\x1b",
    ]
  ) {
    assert.equal(markupOf(line), "a", JSON.stringify(line));
  }
});

Deno.test("renderAnsi() makes only its own elements, whatever is printed", () => {
  const pieces = fc.array(
    fc.oneof(
      fc.string(),
      fc.constantFrom(
        "\x1b[",
        "m",
        ";",
        "31",
        "<",
        ">",
        "&",
        '"',
        "\x1b]0;",
        "\x07",
        "\u202e",
        "\x9b",
      ),
    ),
    { maxLength: 30 },
  );
  fc.assert(fc.property(pieces, (pieces) => {
    const markup = markupOf(pieces.join(""));
    const rest = markup.replaceAll(/<i class="[a-z0-9 ]+">|<\/i>|&(?:amp|lt|gt|quot|#39);/g, "");
    assert.doesNotMatch(rest, /[<>&"']/);
    // deno-lint-ignore no-control-regex -- none may be left
    assert.doesNotMatch(rest, /[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/);
    assert.equal(markup.match(/<i /g)?.length, markup.match(/<\/i>/g)?.length);
  }));
});
