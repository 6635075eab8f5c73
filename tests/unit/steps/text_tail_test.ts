import assert from "node:assert/strict";
import { TextTail } from "../../../src/steps/text_tail.ts";

Deno.test("TextTail keeps the last lines, whole even where the chunks cut them", () => {
  const tail = new TextTail(12);
  const text = "loss=0.25\nfirst grün\ngrün\n";
  for (const byte of new TextEncoder().encode(text)) tail.push(Uint8Array.of(byte));
  assert.equal(tail.end(), "grün\n");
});

Deno.test("TextTail gives no part of a line for a line", () => {
  const tail = new TextTail(4);
  tail.push(new TextEncoder().encode("loss=10.25"));
  assert.equal(tail.end(), "");
});

Deno.test("TextTail keeps everything that is short enough", () => {
  const tail = new TextTail(100);
  tail.push(new TextEncoder().encode("all of it"));
  assert.equal(tail.end(), "all of it");
});
