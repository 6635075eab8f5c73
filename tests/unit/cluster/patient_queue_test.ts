import assert from "node:assert/strict";
import { eachOf } from "../../../src/cluster/patient_queue.ts";

interface Case {
  /** Milliseconds each takes; infinite for one that never ends. */
  readonly takes: readonly number[];
  readonly atOnce?: number;
  readonly isEnough?: () => boolean;
  readonly isBest?: () => boolean;
  /** Of the item with this number. */
  readonly queuedMs?: (item: { readonly index: number }) => number;
  readonly isSilent?: (item: { readonly index: number }) => boolean;
}

/** Starts of each, and which had ended when it was over. */
async function play(
  { takes, atOnce = 2, isEnough, isBest, queuedMs = () => 0, isSilent }: Case,
) {
  const startedAt: number[] = [];
  const ended: number[] = [];
  const timers: ReturnType<typeof setTimeout>[] = [];
  const begin = performance.now();
  await eachOf(takes.map((ms, index) => ({ ms, index })), {
    atOnce,
    turnMs: 60,
    lateFactor: 3,
    lateMs: 60,
    queuedMs,
    ...(isSilent && { isSilent }),
    isEnough,
    isBest,
    headStartMs: 60,
    now: () => performance.now(),
    work: ({ ms, index }) =>
      new Promise((resolve) => {
        startedAt[index] = performance.now() - begin;
        if (Number.isFinite(ms)) {
          timers.push(setTimeout(() => {
            ended.push(index);
            resolve();
          }, ms));
        }
      }),
  });
  for (const timer of timers) clearTimeout(timer);
  return { startedAt, ended: ended.toSorted() };
}

Deno.test("eachOf(): all are done, few at a time", async () => {
  let [busy, most] = [0, 0];
  await eachOf([1, 2, 3, 4, 5], {
    atOnce: 2,
    turnMs: 1000,
    lateFactor: 3,
    lateMs: 1000,
    now: () => 0,
    work: async () => {
      most = Math.max(most, ++busy);
      await Promise.resolve();
      busy--;
    },
  });
  assert.deepEqual([busy, most], [0, 2]);
});

Deno.test("eachOf(): the silent give their turn to those who wait, and are left when late", async () => {
  const never = Number.POSITIVE_INFINITY;
  const { ended } = await play({
    takes: [never, never, never, 1, 1, 1],
    isEnough: () => true,
  });
  assert.deepEqual(ended, [3, 4, 5]);
});

Deno.test("eachOf(): without leave to go early it waits for the last", async () => {
  const { ended } = await play({ takes: [150, 1, 1] });
  assert.deepEqual(ended, [0, 1, 2]);
});

Deno.test("eachOf(): where everybody is slow, nobody is late", async () => {
  const { ended } = await play({ takes: [100, 140, 120], atOnce: 3, isEnough: () => true });
  assert.deepEqual(ended, [0, 1, 2]);
});

Deno.test("eachOf(): the first failure ends it; nothing to do is done", async () => {
  const options = { atOnce: 1, turnMs: 9, lateFactor: 3, lateMs: 9, now: () => 0 };
  await assert.rejects(
    eachOf([1], { ...options, work: () => Promise.reject(new Error("no")) }),
    /no/,
  );
  await eachOf([], { ...options, work: () => Promise.resolve() });
});

Deno.test("eachOf(): whoever waits elsewhere for its turn is not late, and is waited for", async () => {
  const begin = performance.now();
  const { ended } = await play({
    takes: [1, 400, 1],
    atOnce: 3,
    isEnough: () => true,
    queuedMs: ({ index }) => index === 1 ? performance.now() - begin : 0,
  });
  assert.deepEqual(ended, [0, 1, 2]);
});

Deno.test("eachOf(): who says nothing at all is late though those that answer are slow", async () => {
  const never = Number.POSITIVE_INFINITY;
  const { ended } = await play({
    takes: [500, never, 600],
    atOnce: 3,
    isEnough: () => true,
    isSilent: ({ index }) => index === 1,
  });
  assert.deepEqual(ended, [0, 2]);
});

Deno.test("eachOf(): where none can be better, those that work on are left after a head start", async () => {
  const never = Number.POSITIVE_INFINITY;
  const slow = { takes: [1, never, 20], atOnce: 3 };
  const { ended } = await play({ ...slow, isBest: () => true });
  assert.deepEqual(ended, [0, 2], "whoever answered in that time counts");
  let asked = 0;
  const all = await play({ takes: [1, 200], isBest: () => (asked++, false) });
  assert.deepEqual(all.ended, [0, 1]);
  assert.ok(asked > 0);
});

Deno.test("eachOf(): of hundreds, those that keep silent hold up nobody, and are left when late", async () => {
  const never = Number.POSITIVE_INFINITY;
  const takes = Array.from({ length: 300 }, (_, index) => index % 3 === 0 ? never : 1);
  const { ended } = await play({ takes, atOnce: 40, isEnough: () => true });
  assert.equal(ended.length, 200);
});
