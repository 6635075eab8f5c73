import assert from "node:assert/strict";
import fc from "fast-check";
import { DriverOutput, type DriverSays, progressOf } from "../../../src/ray/driver_output.ts";

const MARK = "\x1egrid-batch:a:";
const encoder = new TextEncoder();
const decoder = new TextDecoder();

function read(pieces: readonly Uint8Array[]): { text: string; said: DriverSays[] } {
  const said: DriverSays[] = [];
  const output = new DriverOutput(MARK, (message) => said.push(message));
  const passed = pieces.map((piece) => decoder.decode(output.push(piece)));
  return { text: passed.join("") + decoder.decode(output.end()), said };
}

Deno.test("DriverOutput takes messages out and passes the rest", () => {
  const { text, said } = read([encoder.encode(`a\n${MARK}{"done":1}\nb`)]);
  assert.equal(text, "a\nb");
  assert.deepEqual(said, [{ done: 1 }]);
});

Deno.test("DriverOutput finds a message in the middle of somebody's line", () => {
  const { text, said } = read([encoder.encode(`epoch 1 ${MARK}{"done":1}\nof 3\n`)]);
  assert.equal(text, "epoch 1 of 3\n");
  assert.deepEqual(said, [{ done: 1 }]);
});

Deno.test("DriverOutput gives back at the end what only looked like a message", () => {
  assert.equal(read([encoder.encode(`x${MARK.slice(0, 5)}`)]).text, `x${MARK.slice(0, 5)}`);
});

Deno.test("DriverOutput reads the same however the bytes are cut", () => {
  const bytes = encoder.encode(`one\x1e two ${MARK}{"done":1}\n${MARK}{"problem":"p\\n"}\nthree`);
  fc.assert(fc.property(fc.array(fc.nat(bytes.length)), (cuts) => {
    const ends = [...new Set([...cuts, bytes.length])].toSorted((a, b) => a - b);
    const pieces = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
    const { text, said } = read(pieces);
    assert.equal(text, "one\x1e two three");
    assert.deepEqual(said, [{ done: 1 }, { problem: "p\n" }]);
  }));
});

Deno.test("DriverOutput passes any bytes without a mark unchanged and holds back few", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array()), (pieces) => {
    const output = new DriverOutput(MARK, () => assert.fail("no message was sent"));
    const passed = pieces.flatMap((piece) => [...output.push(piece)]);
    const rest = output.end();
    assert.ok(rest.length < MARK.length);
    assert.deepEqual([...passed, ...rest], pieces.flatMap((piece) => [...piece]));
  }));
});

Deno.test("progressOf() takes numbers of the driver into units, and no word that is none", () => {
  assert.equal(progressOf({ problem: "no" }), undefined);
  assert.deepEqual(progressOf({ done: 1, failed: 0, total: 2 }), { done: 1, failed: 0, total: 2 });
  const said = {
    done: 1,
    failed: 0,
    total: 2,
    per_second: 1.23456,
    left_seconds: 0.8,
    busy_seconds: { "n1 0": 1.5 },
  };
  assert.deepEqual(progressOf(said), {
    done: 1,
    failed: 0,
    total: 2,
    perSecond: 1.23,
    leftMs: 800,
    busyMs: { "n1 0": 1500 },
  });
});
