import assert from "node:assert/strict";
import fc from "fast-check";
import { LogFilter } from "../../../src/cli/log_filter.ts";

const ESC = "\x1b";
/** A title, a cleared screen, a colour, a progress bar; harmless in a test, not at a terminal. */
const PRINTED = `${ESC}]0;title\x07${ESC}[2J${ESC}[31mred${ESC}[0m\n10%\r20%\nend`;

interface Case {
  readonly raw: boolean;
  readonly color: boolean;
}

function shown(chunks: readonly Uint8Array[], options: Case): string {
  const decoder = new TextDecoder();
  let text = "";
  const write = (data: string | Uint8Array) => {
    text += typeof data === "string" ? data : decoder.decode(data, { stream: true });
  };
  const filter = new LogFilter({ ...options, write });
  for (const chunk of chunks) filter.push(chunk);
  filter.end();
  return text;
}

const BYTES = new TextEncoder().encode(PRINTED);

Deno.test("LogFilter takes out what a terminal would obey, and keeps colours where wanted", () => {
  assert.equal(shown([BYTES], { raw: false, color: false }), "red\n20%\nend");
  const coloured = shown([BYTES], { raw: false, color: true });
  assert.equal(coloured, `${ESC}[31mred${ESC}[0m${ESC}[0m\n20%\nend`);
});

Deno.test("LogFilter changes no byte for a pipe", () => {
  assert.equal(shown([BYTES], { raw: true, color: false }), PRINTED);
});

Deno.test("LogFilter lets nothing through that moves a cursor, however the bytes are cut", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 12 })), (chunks) => {
    const text = shown([BYTES, ...chunks, BYTES], { raw: false, color: false });
    // deno-lint-ignore no-control-regex -- control characters are what must be gone
    assert.doesNotMatch(text, /[\x00-\x08\x0b-\x1f\x7f-\x9f]/);
  }));
});
