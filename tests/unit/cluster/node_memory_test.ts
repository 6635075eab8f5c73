import assert from "node:assert/strict";
import {
  missingGpus,
  NO_MEMORY,
  type NodeMemory,
  readMemory,
  remember,
} from "../../../src/cluster/node_memory.ts";
import { facts, gpu } from "./nodes.ts";

const DAY = 24 * 3_600_000;
const eight = facts({ gpus: Array.from({ length: 8 }, (_, index) => gpu(index)) });
const seven = facts({ gpus: eight.gpus.filter(({ index }) => index !== 3) });

function after(...looks: readonly (readonly [at: number, facts: typeof eight])[]): NodeMemory {
  return looks.reduce(
    (memory, [at, facts]) => remember(memory, { at, score: 0, facts }),
    NO_MEMORY,
  );
}

Deno.test("remember() keeps the last looks, and how bad each was", () => {
  let memory = NO_MEMORY;
  for (let at = 1; at <= 40; at++) {
    memory = remember(memory, { at, score: at % 2 ? at : undefined, facts: undefined });
  }
  assert.equal(memory.looks.length, 12);
  assert.deepEqual(memory.looks.at(-1), { at: 40, score: undefined });
  assert.deepEqual(memory.looks.at(-2), { at: 39, score: 39 });
});

Deno.test("missingGpus() names the card that is gone, for a week", () => {
  const memory = after([1000, eight], [2000, seven]);
  const look = { at: 2000, facts: seven };
  assert.deepEqual(missingGpus(memory, look), [
    { uuid: "GPU-3", name: "A100", index: 3, seenAt: 1000 },
  ]);
  const later = after([1000, eight], [2000, seven], [8 * DAY, seven]);
  assert.deepEqual(missingGpus(later, { at: 8 * DAY, facts: seven }), []);
});

Deno.test("a card that is back is not missed any more", () => {
  const memory = after([1, eight], [2, seven], [3, eight]);
  assert.deepEqual(missingGpus(memory, { at: 3, facts: eight }), []);
});

Deno.test("cards that were replaced are not missed", () => {
  const swapped = facts({
    gpus: eight.gpus.map((card) => card.index === 3 ? gpu(3, { uuid: "GPU-new" }) : card),
  });
  const memory = after([1, eight], [2, swapped]);
  assert.deepEqual(missingGpus(memory, { at: 2, facts: swapped }), []);
});

Deno.test("a tool that fails says nothing about cards; one that lost its name is there", () => {
  const failed = facts({ gpus: [], gpuTool: "failed" });
  const memory = after([1, eight], [2, failed]);
  assert.deepEqual(missingGpus(memory, { at: 2, facts: failed }), []);
  assert.equal(memory.cards.length, 8);
  const { uuid: _, ...rest } = gpu(3, { sick: "GPU is lost" });
  const nameless = facts({ gpus: [...seven.gpus, { ...rest, uuid: undefined }] });
  const after3 = remember(memory, { at: 3, score: 0, facts: nameless });
  assert.deepEqual(missingGpus(after3, { at: 3, facts: nameless }), []);
});

Deno.test("readMemory() takes what was written, and nothing else", () => {
  const memory = remember(after([1000, eight]), { at: 2, score: undefined, facts: undefined });
  assert.deepEqual(readMemory(JSON.parse(JSON.stringify(memory))), memory);
  for (const wrong of [undefined, null, 7, "x", {}, { looks: 1, cards: [] }]) {
    assert.equal(readMemory(wrong), undefined);
  }
  const mixed = { looks: [{ at: "1" }, { at: 1, score: 5 }], cards: [{ uuid: 1 }] };
  assert.deepEqual(readMemory(mixed), { looks: [{ at: 1, score: 5 }], cards: [] });
});
