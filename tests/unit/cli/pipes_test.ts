import assert from "node:assert/strict";
import { Pipes } from "../../../src/cli/pipes.ts";

/** Takes `most` bytes at a time, and throws what it is told to before each time. */
function writer(most: number, errors: readonly (Error | undefined)[] = []) {
  const written: number[] = [];
  let turn = 0;
  return {
    written,
    writeSync: (bytes: Uint8Array) => {
      const error = errors[turn++];
      if (error) throw error;
      written.push(...bytes.subarray(0, most));
      return Math.min(most, bytes.length);
    },
  };
}

const BYTES = new Uint8Array([1, 2, 3, 4, 5]);

Deno.test("Pipes.write() writes everything, however little is taken at a time", () => {
  const out = writer(2);
  new Pipes().write(out, BYTES);
  assert.deepEqual(out.written, [...BYTES]);
});

Deno.test("Pipes.write() waits for a pipe that is full", () => {
  const full = new Deno.errors.WouldBlock();
  const out = writer(2, [full, full, undefined, full]);
  new Pipes().write(out, BYTES);
  assert.deepEqual(out.written, [...BYTES]);
});

Deno.test("Pipes.write() tells once that a reader is gone, and writes to it no more", () => {
  const out = writer(9, [new Deno.errors.BrokenPipe()]);
  const other = writer(9);
  const pipes = new Pipes();
  let told = 0;
  using _handler = pipes.onClosed(() => told++);
  pipes.write(out, BYTES);
  pipes.write(out, BYTES);
  pipes.write(other, BYTES);
  assert.deepEqual([told, out.written, other.written], [1, [], [...BYTES]]);
});
