import assert from "node:assert/strict";
import { Turns } from "../../../src/core/turns.ts";
import { createHash } from "node:crypto";
import fc from "fast-check";
import {
  type BlockSums,
  matchBlocks,
  type Piece,
  readBlockSums,
  STRONG_BYTES,
  weakSum,
} from "../../../src/sync/block_match.ts";

const BLOCK = 512;

/** What a node would say of the file. */
function sumsOf(base: Uint8Array, blockBytes = BLOCK): BlockSums {
  const count = Math.floor(base.length / blockBytes);
  const weak = new Uint32Array(count);
  const strong = new Uint8Array(count * STRONG_BYTES);
  for (let at = 0; at < count; at++) {
    const block = base.subarray(at * blockBytes, (at + 1) * blockBytes);
    weak[at] = weakSum(block, 0, blockBytes);
    strong.set(
      createHash("sha256").update(block).digest().subarray(0, STRONG_BYTES),
      at * STRONG_BYTES,
    );
  }
  return { blockBytes, weak, strong };
}

function match(base: Uint8Array, wanted: Uint8Array): Promise<Piece[]> {
  return matchBlocks({
    size: wanted.length,
    sums: sumsOf(base),
    turns: new Turns(),
    read: (into, at) => into.set(wanted.subarray(at, at + into.length)),
  });
}

function build(
  pieces: readonly Piece[],
  { base, wanted }: { base: Uint8Array; wanted: Uint8Array },
): Uint8Array {
  return Buffer.concat(
    pieces.map((piece) =>
      piece.kind === "copy"
        ? base.subarray(piece.block * BLOCK, (piece.block + piece.count) * BLOCK)
        : wanted.subarray(piece.at, piece.at + piece.bytes)
    ),
  );
}

function dataBytes(pieces: readonly Piece[]): number {
  return pieces.reduce((sum, piece) => sum + (piece.kind === "data" ? piece.bytes : 0), 0);
}

/** The same for the same seed. */
function noise(bytes: number, seed = 1): Uint8Array {
  const made = new Uint8Array(bytes);
  let state = seed;
  for (let at = 0; at < bytes; at++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    made[at] = state >>> 24;
  }
  return made;
}

Deno.test("weakSum() is Adler-32", () => {
  assert.equal(weakSum(new TextEncoder().encode("Wikipedia"), 0, 9), 0x11e60398);
  assert.equal(weakSum(new Uint8Array(100_000).fill(255), 0, 100_000), 0x149a302c);
});

Deno.test("matchBlocks() finds what stayed, however far it moved", async () => {
  const base = noise(100_000);
  const edits: Record<string, [Uint8Array, number]> = {
    "nothing": [base, 100_000 % BLOCK],
    "a byte in front": [Buffer.concat([noise(1, 9), base]), 1 + 100_000 % BLOCK],
    "a byte taken away in the middle": [
      Buffer.concat([base.subarray(0, 50_000), base.subarray(50_001)]),
      BLOCK + 100_000 % BLOCK,
    ],
    "the halves swapped": [
      Buffer.concat([base.subarray(51_200), base.subarray(0, 51_200)]),
      100_000 % BLOCK,
    ],
  };
  for (const [what, [wanted, most]] of Object.entries(edits)) {
    const pieces = await match(base, wanted);
    assert.deepEqual(build(pieces, { base, wanted }), Buffer.from(wanted), what);
    assert.ok(dataBytes(pieces) <= most, `${what}: ${dataBytes(pieces)} bytes`);
  }
});

Deno.test("matchBlocks() makes exactly the file, whatever was done to it", async () => {
  const chunk = fc.oneof(
    fc.uint8Array({ maxLength: 1500 }),
    fc.record({ from: fc.nat(8000), bytes: fc.nat(5000) }),
    // Long runs of one byte, where every place has the same sum.
    fc.record({ fill: fc.constantFrom(0, 255), bytes: fc.nat(3000) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(chunk, { maxLength: 8 }), fc.boolean(), async (chunks, isPlain) => {
      const base = isPlain ? new Uint8Array(9000) : noise(9000);
      const wanted = Buffer.concat(
        chunks.map((it) =>
          it instanceof Uint8Array
            ? it
            : "fill" in it
            ? new Uint8Array(it.bytes).fill(it.fill)
            : base.subarray(it.from, it.from + it.bytes)
        ),
      );
      const pieces = await match(base, wanted);
      assert.deepEqual(build(pieces, { base, wanted }), Buffer.from(wanted));
    }),
    { numRuns: 100 },
  );
});

Deno.test("matchBlocks() sees what lies across the windows in which it reads", async () => {
  const base = noise(9 * 2 ** 20);
  const wanted = Buffer.concat([noise(777, 5), base]);
  const pieces = await match(base, wanted);
  assert.deepEqual(pieces.map((piece) => piece.kind), ["data", "copy"]);
});

Deno.test("readBlockSums() takes nothing that makes no sense", () => {
  const head = (blockBytes: number, count: number) => {
    const bytes = new Uint8Array(16);
    const view = new DataView(bytes.buffer);
    view.setUint32(8, blockBytes);
    view.setUint32(12, count);
    return bytes;
  };
  const whole = Buffer.concat([head(4096, 1), noise(20)]);
  const [first, second] = readBlockSums(whole, 2);
  assert.equal(first?.blockBytes, 4096);
  assert.equal(first?.weak.length, 1);
  assert.equal(second, undefined);
  for (const wrong of [head(4096, 5), head(0, 0), head(2 ** 30, 1), head(4096, 2 ** 32 - 1)]) {
    assert.deepEqual(readBlockSums(wrong, 1), [undefined]);
  }
});
