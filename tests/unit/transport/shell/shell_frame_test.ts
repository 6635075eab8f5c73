import assert from "node:assert/strict";
import fc from "fast-check";
import { Frame } from "../../../../src/transport/shell/shell_frame.ts";
import { frameMarkers } from "../../../../src/transport/shell/shell_script.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const markers = frameMarkers("word");
const open = (maxBytes = 1000) => new Frame({ ...markers, maxBytes });

/** Pieces of `bytes`, cut at these places. */
function cut(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = places.map((place) => place % (bytes.length + 1)).toSorted((a, b) => a - b);
  return [0, ...ends].map((start, index) => bytes.subarray(start, ends[index] ?? bytes.length));
}

Deno.test("Frame takes what stands between its markers, wherever the chunks are cut", () => {
  const junk = fc.string({ unit: fc.constantFrom("\x1e", "<", ">", "w", "wor", "a") });
  fc.assert(
    fc.property(junk, junk, fc.array(fc.nat(100)), (before, output, places) => {
      const stream = encoder.encode(`${before}\x1e<word\x1e${output}\x1e>word\x1e17\x1eafter`);
      const frame = open();
      for (const chunk of cut(stream, places)) frame.push(chunk);
      assert.equal(frame.done, true);
      assert.equal(decoder.decode(frame.output().bytes), output);
      assert.equal(frame.output().trailer, "17");
    }),
    { numRuns: 500 },
  );
});

Deno.test("Frame counts what it drops beyond its limit", () => {
  const frame = open(4);
  frame.push(encoder.encode("\x1e<word\x1e123"));
  frame.push(encoder.encode("4567\x1e>word\x1e0\x1e"));
  assert.deepEqual(frame.output().dropped, 3);
  assert.equal(decoder.decode(frame.output().bytes), "1234");
});

Deno.test("Frame is not done before the trailer is whole", () => {
  const frame = open();
  frame.push(encoder.encode("\x1e<word\x1eout\x1e>word\x1e1"));
  assert.equal(frame.done, false);
  frame.push(encoder.encode("2\x1e"));
  assert.equal(frame.done, true);
  assert.equal(frame.output().trailer, "12");
});
