import assert from "node:assert/strict";
import { monotonic } from "../../../src/core/clock.ts";
import { Turns } from "../../../src/core/turns.ts";

/** Turns of setImmediate after which Deno looks at sockets by itself. */
const FEWER_THAN_DENO = 20;

Deno.test("what a socket has is heard while long work goes on", async () => {
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  using here = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
  using there = await listener.accept();
  await there.write(new Uint8Array(1));
  let isHeard = false;
  const reading = here.read(new Uint8Array(1)).then(() => isHeard = true);
  await there.write(new Uint8Array(1));
  const turns = new Turns();
  for (let turn = 0; turn < FEWER_THAN_DENO && !isHeard; turn++) {
    while (!turns.areDue) work(10);
    await turns.next();
  }
  assert.ok(isHeard);
  await reading;
});

Deno.test("short work is not held up", async () => {
  const turns = new Turns();
  let isOver = false;
  const timer = setTimeout(() => isOver = true, 0);
  for (let piece = 0; piece < 1000; piece++) if (!turns.areDue) await turns.next();
  assert.equal(isOver, false);
  clearTimeout(timer);
});

function work(ms: number): void {
  const end = monotonic() + ms;
  while (monotonic() < end);
}
