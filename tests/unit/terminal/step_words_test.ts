import assert from "node:assert/strict";
import type { BatchProgressed, Failure, SyncFinished } from "../../../src/engine/event.ts";
import { replay } from "../../../src/engine/reduce.ts";
import {
  batchWords,
  counted,
  durationOf,
  failureWords,
  isBad,
  lookOf,
  nodesOf,
  progressWords,
  STATUSES,
  syncWords,
} from "../../../src/terminal/step_words.ts";
import { displayWidth } from "../../../src/terminal/width.ts";
import { succeededRun } from "../../support/sample_runs.ts";

const FAILURE: Failure = { code: "exit", message: "it\nbroke \x1b[2J", started: true };

Deno.test("failureWords() prefers the code, then the signal, then the message on one line", () => {
  assert.equal(failureWords({ ...FAILURE, exitCode: 0 }), "exit code 0");
  assert.equal(failureWords({ ...FAILURE, signal: "SIGSEGV" }), "ended by SIGSEGV");
  assert.equal(failureWords(FAILURE), "it broke");
});

Deno.test("every state has a mark of one column and a word of its own", () => {
  const words = STATUSES.map((status) => lookOf(status).word);
  assert.equal(new Set(words).size, STATUSES.length);
  for (const status of STATUSES) assert.equal(displayWidth(lookOf(status).mark), 1);
  assert.deepEqual(STATUSES.filter(isBad), ["failed", "timed-out"]);
});

Deno.test("syncWords() tells what was sent and what was not", () => {
  const sync: SyncFinished = {
    type: "sync.finished",
    at: 0,
    step: "code",
    attempt: 1,
    node: "gpu1",
    folder: "/w",
    sent: 0,
    deleted: 0,
    total: 1,
    bytes: 0,
    durationMs: 12,
  };
  assert.equal(syncWords(sync), "synced 0 of 1 file in 12ms");
  assert.equal(
    syncWords({ ...sync, sent: 2, total: 3, bytes: 2048, deleted: 1 }),
    "synced 2 of 3 files, 2.0 KiB, 1 deleted in 12ms",
  );
});

Deno.test("batchWords() says where no Ray was used", () => {
  const batch: BatchProgressed = {
    type: "batch.progressed",
    at: 0,
    step: "score",
    attempt: 1,
    done: 3,
    failed: 1,
    total: 9,
    mode: "managed",
  };
  assert.equal(batchWords(batch), "3 of 9 tasks, 1 failed");
  const rated = { ...batch, perSecond: 12.5, leftMs: 49_000 };
  assert.equal(batchWords(rated), "3 of 9 tasks, 1 failed, 12.5/s, 49.0s left");
  assert.equal(
    batchWords({ ...rated, failed: 0, perSecond: 0.05 }),
    "3 of 9 tasks, 3.0/min, 49.0s left",
  );
  assert.equal(batchWords({ ...rated, done: 9 }), "9 of 9 tasks, 1 failed");
  assert.equal(
    batchWords({ ...batch, failed: 0, mode: "embedded" }),
    "3 of 9 tasks on local processes, no Ray",
  );
});

Deno.test("nodesOf() names up to three nodes of a sync, then counts", () => {
  const code = replay(succeededRun())?.steps.get("code");
  const sync = code?.attempts[0]?.syncs[0];
  assert.ok(code && sync);
  assert.equal(nodesOf(code), "gpu1, gpu3");
  const syncs = [1, 2, 3, 4].map((at) => ({ ...sync, node: `n${at}` }));
  const attempts = code.attempts.map((attempt) => ({ ...attempt, syncs }));
  assert.equal(nodesOf({ ...code, attempts }), "4 nodes");
});

Deno.test("durationOf() counts on while a step runs, and never below zero", () => {
  const train = replay(succeededRun().slice(0, 16))?.steps.get("train");
  assert.ok(train);
  assert.equal(durationOf(train, 1_470), 1000);
  assert.equal(durationOf(train, 0), 0);
  assert.equal(durationOf({ ...train, durationMs: 7 }, 1_470), 7);
  const { afterMs: _, ...waiting } = train;
  assert.equal(durationOf(waiting, 1_470), undefined);
});

Deno.test("counted() knows one from many", () => {
  assert.deepEqual([0, 1, 2].map((count) => counted(count, "file")), [
    "0 files",
    "1 file",
    "2 files",
  ]);
});

Deno.test("progressWords() tells files, bytes, rate and the time that is left", () => {
  const event = { type: "sync.progressed", at: 0, step: "code", attempt: 1, node: "n1" } as const;
  const counts = { files: 12, totalFiles: 40, bytes: 30 * 2 ** 20, totalBytes: 90 * 2 ** 20 };
  assert.equal(
    progressWords({ ...event, ...counts, rate: 2 ** 20 }),
    "12 of 40 files, 30.0 MiB of 90.0 MiB, 1.0 MiB/s, 1m 00s left",
  );
  assert.match(progressWords({ ...event, ...counts, rate: 0 }), /90\.0 MiB, 0 B\/s$/);
});
