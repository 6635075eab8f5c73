import assert from "node:assert/strict";
import { newRunId, randomWord } from "../../../src/core/ids.ts";

Deno.test("newRunId() begins with the time in UTC, so that names sort by start", () => {
  const early = newRunId(Date.UTC(2026, 0, 31, 14, 25, 30, 999));
  assert.match(early, /^20260131-142530-[2-9a-z]{4}$/);
  assert.ok(early < newRunId(Date.UTC(2026, 0, 31, 14, 25, 31)));
});

Deno.test("randomWord() has the length asked for and letters that cannot be mixed up", () => {
  const word = randomWord(1000);
  assert.match(word, /^[2-9a-z]{1000}$/);
  assert.doesNotMatch(word, /[01ilo]/);
  assert.notEqual(randomWord(20), randomWord(20));
});
