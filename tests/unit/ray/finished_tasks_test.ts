import assert from "node:assert/strict";
import { FinishedTasks } from "../../../src/ray/finished_tasks.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

Deno.test("FinishedTasks forgets nothing when a later attempt knows nothing", () => {
  const finished = new FinishedTasks();
  finished.remember("a", bytes("one"));
  finished.remember("a", bytes(""));
  assert.deepEqual(finished.lines("a"), bytes("one"));
  assert.deepEqual(finished.lines("b"), bytes(""));
  finished.forget("a");
  assert.deepEqual(finished.lines("a"), bytes(""));
});

Deno.test("FinishedTasks clears up when the run is over, whatever fails", async () => {
  const done: string[] = [];
  {
    await using finished = new FinishedTasks();
    finished.later(() => Promise.reject(new Error("gone")));
    finished.later(() => Promise.resolve(void done.push("b")));
    assert.deepEqual(done, []);
  }
  assert.deepEqual(done, ["b"]);
});
