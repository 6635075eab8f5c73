import assert from "node:assert/strict";
import { EventStream } from "../../../src/web/event_stream.ts";

Deno.test("a browser that does not read is let go, with a bounded lot waiting for it", async () => {
  let closed = 0;
  const stream = new EventStream({ onClose: () => closed++, mostBytes: 10_000 });
  const line = "x".repeat(1000);
  for (let count = 0; count < 1000; count++) stream.send("news", line);
  assert.deepEqual([stream.isOpen, closed], [false, 1]);
  const waiting = await new Response(stream.body as ReadableStream<Uint8Array<ArrayBuffer>>).text();
  assert.ok(waiting.length > 9_000 && waiting.length < 12_000, `${waiting.length} bytes`);
  assert.ok(waiting.startsWith("retry: 2000\n\nevent: news\n"));
});

Deno.test("a browser that reads is kept; one that goes is noticed", async () => {
  let closed = 0;
  const stream = new EventStream({ onClose: () => closed++, mostBytes: 2000 });
  const reader = stream.body.getReader();
  for (let count = 0; count < 100; count++) {
    stream.send("news", "x".repeat(500));
    await reader.read();
  }
  assert.ok(stream.isOpen);
  await reader.cancel();
  stream.send("news", "nobody reads it");
  stream.close();
  assert.deepEqual([stream.isOpen, closed], [false, 1]);
});
