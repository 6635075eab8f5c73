import assert from "node:assert/strict";
import { fileNameOf, newRunId, randomWord } from "../../../src/core/ids.ts";

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

Deno.test("fileNameOf() keeps a name inside its folder", () => {
  assert.equal(fileNameOf("sweep[lr=1e-4,seed=1]"), "sweep_lr=1e-4,seed=1_");
  assert.equal(fileNameOf("eval/score"), "eval_score");
  assert.ok(!fileNameOf("../../etc/passwd").includes("/"));
});

Deno.test("fileNameOf() keeps long names apart, within what a file system takes", () => {
  const names = ["a", "b"].map((end) => fileNameOf("sweep[" + "x=1,".repeat(200) + end));
  for (const name of names) assert.ok(name.length <= 120, name);
  assert.notEqual(names[0], names[1]);
  assert.match(names[0] ?? "", /^sweep_x=1,.*[.][0-9a-f]{16}$/);
});
