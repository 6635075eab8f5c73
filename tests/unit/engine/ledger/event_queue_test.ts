import assert from "node:assert/strict";
import { EventQueue } from "../../../../src/engine/ledger/event_queue.ts";
import { Fifo } from "../../../../src/engine/schedule/fifo.ts";

Deno.test("EventQueue gives values in order, those pushed before and during the reading", async () => {
  const queue = new EventQueue<number>();
  queue.push(1);
  const seen: number[] = [];
  const reading = (async () => {
    for await (const value of queue) {
      seen.push(value);
      if (value === 2) queue.push(3);
    }
  })();
  await Promise.resolve();
  queue.push(2);
  await new Promise((resolve) => setTimeout(resolve, 1));
  queue.push(4);
  queue.close();
  await reading;
  assert.deepEqual(seen, [1, 2, 3, 4]);
});

Deno.test("EventQueue that is closed still gives what it holds", async () => {
  const queue = new EventQueue<number>();
  queue.push(1);
  queue.push(2);
  queue.close();
  assert.deepEqual(await Array.fromAsync(queue), [1, 2]);
});

Deno.test("Fifo gives back what was put in, in order, also past the point where it shrinks", () => {
  const fifo = new Fifo<number>();
  const seen: number[] = [];
  for (let turn = 0; turn < 500; turn++) {
    fifo.push(2 * turn);
    fifo.push(2 * turn + 1);
    assert.equal(fifo.peek(), turn);
    seen.push(fifo.shift() ?? -1);
  }
  assert.equal(fifo.size, 500);
  while (fifo.size > 0) seen.push(fifo.shift() ?? -1);
  assert.deepEqual(seen, Array.from({ length: 1000 }, (_, index) => index));
  assert.equal(fifo.shift(), undefined);
});
