import assert from "node:assert/strict";
import { concatBytes } from "../../../src/core/bytes.ts";

Deno.test("concatBytes() joins parts in their order, none and empty ones too", () => {
  const parts = [[1, 2], [], [3]].map((each) => Uint8Array.from(each));
  assert.deepEqual([...concatBytes(parts)], [1, 2, 3]);
  assert.deepEqual([...concatBytes([])], []);
});

Deno.test("concatBytes() does not copy a part that stands alone", () => {
  const only = Uint8Array.of(1);
  assert.equal(concatBytes([only]), only);
});
