import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { settleNearEnd } from "../../../src/store/near_end.ts";
import { openStore } from "../../../src/store/open.ts";
import { reduce, type RunState } from "../../../src/engine/reduce.ts";
import { runStarted, warned } from "../../support/events.ts";
import { longRun } from "../../support/sample_runs.ts";
import { tempDir } from "../../support/temp_dir.ts";

Deno.test("settleNearEnd() settles when few steps are left, and before the last one", () => {
  const settledAt = (steps: number) => {
    let ended = 0;
    const found: number[] = [];
    const reader = settleNearEnd([{ settle: () => found.push(steps - ended) }]);
    let state: RunState | undefined;
    for (const event of longRun(steps)) {
      state = reduce(state, event);
      if (event.type === "step.finished") ended++;
      reader.event(event, state);
    }
    return found;
  };
  assert.deepEqual(settledAt(30), [8, 1]);
  assert.deepEqual(settledAt(3), [1]);
  assert.deepEqual(settledAt(1), []);
});

/** A run whose journal fills the log beside the file with some hundred pages. */
const MANY = Array.from({ length: 400 }, (_, at) => warned(`${at} ${"x".repeat(800)}`));

Deno.test("settle() moves a long log into the file, so that closing has nothing to do", () => {
  using dir = tempDir();
  const path = join(dir.path, "grid.db");
  using store = openStore(path);
  store.append("r1", [runStarted("r1"), ...MANY]);
  assert.ok(statSync(`${path}-wal`).size > 128 * 1024);
  store.settle();
  assert.equal(statSync(`${path}-wal`).size, 0);
  // Without the log, as if it had never been.
  Deno.copyFileSync(path, `${path}.copy`);
  using copy = openStore(`${path}.copy`);
  assert.equal(copy.events("r1").length, MANY.length + 1);
  store.append("r1", [warned("after")]);
  assert.deepEqual(store.events("r1").at(-1), warned("after"));
});

Deno.test("settle() leaves a short log as it is, and a long one that others use", () => {
  using dir = tempDir();
  const path = join(dir.path, "grid.db");
  using store = openStore(path);
  const logSize = () => statSync(`${path}-wal`).size;
  store.append("r1", [runStarted("r1")]);
  const short = logSize();
  store.settle();
  assert.equal(logSize(), short);

  const other = new DatabaseSync(path);
  try {
    for (const begin of ["BEGIN; SELECT count(*) FROM journal", "BEGIN IMMEDIATE"]) {
      other.exec(begin);
      if (begin !== "BEGIN IMMEDIATE") store.append("r1", MANY);
      const long = logSize();
      store.settle();
      assert.equal(logSize(), long);
      other.exec("ROLLBACK");
    }
  } finally {
    other.close();
  }
  assert.equal(store.events("r1").length, MANY.length + 1);
  store.settle();
  assert.equal(logSize(), 0);
});
