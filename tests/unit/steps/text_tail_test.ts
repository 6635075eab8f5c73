import assert from "node:assert/strict";
import { TextTail } from "../../../src/steps/text_tail.ts";

Deno.test("TextTail keeps the last characters, whole even where the chunks cut them", () => {
  const tail = new TextTail(5);
  for (const byte of new TextEncoder().encode("0123456789 grün")) tail.push(Uint8Array.of(byte));
  assert.equal(tail.end(), " grün");
});

Deno.test("TextTail keeps everything that is short enough", () => {
  const tail = new TextTail(100);
  tail.push(new TextEncoder().encode("all of it"));
  assert.equal(tail.end(), "all of it");
});
