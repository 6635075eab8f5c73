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

Deno.test("Pipes.write() goes on in silence where the terminal was closed", () => {
  const out = writer(9, [new Error("Input/output error (os error 5)")]);
  const pipes = new Pipes();
  let told = 0;
  using _handler = pipes.onProblem({ closed: () => told++, lost: assert.fail });
  pipes.write(out, BYTES);
  pipes.write(out, BYTES);
  assert.deepEqual([told, out.written], [0, []]);
});

Deno.test("Pipes.write() tells once that a reader is gone, and writes to it no more", () => {
  const out = writer(9, [new Deno.errors.BrokenPipe()]);
  const other = writer(9);
  const pipes = new Pipes();
  let told = 0;
  using _handler = pipes.onProblem({ closed: () => told++, lost: assert.fail });
  pipes.write(out, BYTES);
  pipes.write(out, BYTES);
  pipes.write(other, BYTES);
  assert.deepEqual([told, out.written, other.written], [1, [], [...BYTES]]);
});

Deno.test("Pipes.write() throws where there is no room, and nobody wants to know", () => {
  const full = Object.assign(new Error("No space left on device (os error 28)"), {
    code: "ENOSPC",
  });
  const out = writer(9, [full]);
  const pipes = new Pipes();
  assert.throws(() => pipes.write(out, BYTES), {
    code: "output-lost",
    exitCode: 6,
    message: "Cannot write to standard output: no room is left on the disk of this machine",
  });
  assert.equal(pipes.lost?.exitCode, 6);
});

Deno.test("Pipes.write() tells once that there is no room, and writes there no more", () => {
  const out = writer(9, [new Error("strange")]);
  const pipes = new Pipes();
  const told: string[] = [];
  using _handler = pipes.onProblem({
    closed: assert.fail,
    lost: ({ message }) => told.push(message),
  });
  pipes.write(out, BYTES, "standard error");
  pipes.write(out, BYTES, "standard error");
  assert.deepEqual(told, ["Cannot write to standard error: strange"]);
  assert.deepEqual(out.written, []);
});
