import assert from "node:assert/strict";
import { PendingWords, StartTimeout } from "../../../src/ray/job_pending.ts";

Deno.test("PendingWords tells what Ray says once, after a while, and gives up", () => {
  let now = 0;
  const told: string[] = [];
  const words = new PendingWords((text) => told.push(text), () => now);
  const look = (message: string | undefined) => words.look({ message });
  look("waits");
  assert.deepEqual(told, []);
  now = 5000;
  look("waits for the runtime environment\nand more");
  look("waits for the runtime environment\nand more");
  look(undefined);
  assert.deepEqual(told, [
    "grid: Ray has not started the batch yet: waits for the runtime environment\n",
    "grid: Ray has not started the batch yet: it says no reason\n",
  ]);
  now = 900_001;
  assert.throws(() => look("no room"), (error: unknown) => {
    assert.ok(error instanceof StartTimeout);
    assert.match(error.message, /has not started its job for 15 minutes: no room/);
    return true;
  });
});
