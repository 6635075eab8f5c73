import assert from "node:assert/strict";
import fc from "fast-check";
import { TerminalText } from "../../../src/web/terminal_text.ts";

function shown(...lines: string[]): string {
  return new TerminalText().lines(lines).text;
}

Deno.test("colours stay, and go on from line to line until they end", () => {
  assert.equal(
    shown("\x1b[1;31mred", "still\x1b[0m plain", "\x1b[38;5;12mblue\x1b[39m\x1b[48;2;1;2;3mx"),
    '<div><span class="bold ink-1">red</span></div>' +
      '<div><span class="bold ink-1">still</span> plain</div>' +
      '<div><span class="ink-12">blue</span>x</div>',
  );
});

Deno.test("what else a terminal would obey is gone; of what wrote over itself the last counts", () => {
  assert.equal(shown("a\x1b]0;title\x07b\x1b[2Jc\x1b[10;10H"), "<div>abc</div>");
  assert.equal(shown("10 %\r50 %\r100 %\r"), "<div>100 %</div>");
  assert.equal(shown("x".repeat(5000)), `<div>${"x".repeat(4000)}…</div>`);
});

Deno.test("an open line changes nothing for those behind it", () => {
  const text = new TerminalText();
  assert.equal(text.openLine("\x1b[31mhalf").text, '<span class="ink-1">half</span>');
  assert.equal(text.lines(["whole"]).text, "<div>whole</div>");
});

Deno.test("whatever is printed makes only the elements that are ours", () => {
  const part = fc.oneof(
    fc.string(),
    fc.constantFrom("\x1b[", "31m", "\x1b]8;;", "<", ">", '"', "&", "\r", "\x9b1m", "38;5;", ";"),
  );
  fc.assert(fc.property(fc.array(part, { maxLength: 30 }), (parts) => {
    const inner = shown(parts.join("").replaceAll("\n", "")).slice(
      "<div>".length,
      -"</div>".length,
    );
    const rest = inner.replaceAll(/<span class="[a-z0-9 -]+">|<\/span>/g, "");
    // deno-lint-ignore no-control-regex -- none of them shall be left
    assert.doesNotMatch(rest, /[<>"\x00-\x08\x1b]/);
  }));
});
