/** What begins now: over both changes of the clock, after sleep, with a run still going. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { CronTimes } from "../../../src/schedule/cron.ts";
import {
  decide,
  type Decision,
  GRACE_MS,
  type Known,
  MOST_LOOKED_AT,
  MOST_QUEUED,
} from "../../../src/schedule/decide.ts";
import { CATCH_UPS, OVERLAPS, type Schedule } from "../../../src/schedule/schedule.ts";

const HOUR = 3_600_000;
const NIGHTLY: Schedule = {
  name: "schedule",
  cron: "30 2 * * *",
  zone: "Europe/Berlin",
  overlap: "skip",
  catchUp: "last",
  startWithinMs: undefined,
  inputs: {},
  isEnabled: true,
};
const IDLE: Known = { decidedTo: 0, running: 0, queued: [], abandoned: [], isPaused: false };
const at = (text: string) => Date.parse(text);

function decided(
  schedule: Partial<Schedule>,
  known: Partial<Known>,
  now: number,
): Decision {
  const whole = { ...NIGHTLY, ...schedule };
  const times = new CronTimes(whole.cron, whole.zone);
  return decide(whole, { ...IDLE, ...known }, { times, now });
}

/** Asked once an hour, with nobody in the way. */
function startsBetween(from: string, until: string): string[] {
  const starts: number[] = [];
  for (let now = at(from), decidedTo = now; now < at(until); now += HOUR) {
    const decision = decided({}, { decidedTo }, now);
    assert.equal(decision.missed, 0);
    starts.push(...decision.start);
    ({ decidedTo } = decision);
  }
  return starts.map((start) => new Date(start).toISOString());
}

Deno.test("a night with a change of the clock has one run, as any other", () => {
  assert.deepEqual(startsBetween("2026-03-27T12:00:00Z", "2026-03-30T12:00:00Z"), [
    "2026-03-28T01:30:00.000Z",
    "2026-03-29T01:00:00.000Z",
    "2026-03-30T00:30:00.000Z",
  ]);
  assert.deepEqual(startsBetween("2026-10-23T12:00:00Z", "2026-10-26T12:00:00Z"), [
    "2026-10-24T00:30:00.000Z",
    "2026-10-25T00:30:00.000Z",
    "2026-10-26T01:30:00.000Z",
  ]);
});

Deno.test("after three nights asleep the last one is made up for, or none, or all", () => {
  const asleep = { decidedTo: at("2026-01-10T12:00:00Z") };
  const now = at("2026-01-13T09:00:00Z");
  const nights = ["11", "12", "13"].map((day) => at(`2026-01-${day}T01:30:00Z`));
  const last = decided({ catchUp: "last" }, asleep, now);
  assert.deepEqual([last.start, last.miss, last.missed], [nights.slice(2), nights.slice(0, 2), 2]);
  assert.equal(last.decidedTo, now);
  const none = decided({ catchUp: "none" }, asleep, now);
  assert.deepEqual([none.start, none.miss, none.missed], [[], nights, 3]);
  const all = decided({ catchUp: "all", overlap: "queue" }, asleep, now);
  assert.deepEqual([all.start, all.queue, all.missed], [nights.slice(0, 1), nights.slice(1), 0]);
  const parallel = decided({ catchUp: "all", overlap: "parallel" }, asleep, now);
  assert.deepEqual(parallel.start, nights);
});

Deno.test("a run begins no later than start-within says, though a moment late is in time", () => {
  const night = at("2026-01-11T01:30:00Z");
  const known = { decidedTo: night - HOUR };
  const six = { startWithinMs: 6 * HOUR };
  assert.deepEqual(decided(six, known, night + 6 * HOUR).start, [night]);
  const late = decided(six, known, night + 6 * HOUR + 1);
  assert.deepEqual([late.start, late.miss], [[], [night]]);
  const none = { catchUp: "none", startWithinMs: 1 } as const;
  assert.deepEqual(decided(none, known, night + GRACE_MS).start, [night]);
  assert.deepEqual(decided(none, known, night + GRACE_MS + 1).miss, [night]);
});

Deno.test("a run that still goes on is skipped for, waited for, joined or ended", () => {
  const night = at("2026-01-11T01:30:00Z");
  const busy = { decidedTo: night - HOUR, running: 1 };
  const skip = decided({ overlap: "skip" }, busy, night);
  assert.deepEqual([skip.start, skip.skip, skip.cancel], [[], [night], false]);
  const queue = decided({ overlap: "queue" }, busy, night);
  assert.deepEqual([queue.start, queue.queue], [[], [night]]);
  assert.deepEqual(decided({ overlap: "parallel" }, busy, night).start, [night]);
  const cancel = decided({ overlap: "cancel-oldest" }, busy, night);
  assert.deepEqual([cancel.start, cancel.queue, cancel.cancel], [[], [night], true]);
  // It is asked to end once, and what waited begins when it has.
  const waits = { decidedTo: night, queued: [night] };
  const still = decided({ overlap: "cancel-oldest" }, { ...waits, running: 1 }, night + 1000);
  assert.deepEqual([still.start, still.queue, still.cancel], [[], [night], false]);
  for (const overlap of ["queue", "cancel-oldest"] as const) {
    assert.deepEqual(decided({ overlap }, waits, night + 1000).start, [night]);
  }
  const full = Array.from({ length: MOST_QUEUED }, (_, index) => night - (index + 1) * 1000);
  const more = decided({ overlap: "queue" }, { ...busy, queued: full }, night);
  assert.deepEqual([more.queue.length, more.skip], [MOST_QUEUED, [night]]);
});

Deno.test("a run that somebody was to start who is gone is started by the next", () => {
  const night = at("2026-01-11T01:30:00Z");
  const known = { decidedTo: night, abandoned: [night] };
  assert.deepEqual(decided({}, known, night + HOUR).start, [night]);
  const late = decided({ catchUp: "none" }, known, night + HOUR);
  assert.deepEqual([late.start, late.miss, late.missed], [[], [night], 1]);
});

Deno.test("a schedule that is switched off or paused starts nothing, and misses nothing", () => {
  const now = at("2026-01-13T09:00:00Z");
  const asleep = { decidedTo: at("2026-01-10T12:00:00Z"), queued: [1000] };
  for (
    const decision of [
      decided({ isEnabled: false }, asleep, now),
      decided({}, { ...asleep, isPaused: true }, now),
    ]
  ) {
    assert.deepEqual([decision.start, decision.missed, decision.skip], [[], 0, [1000]]);
    assert.equal(decision.decidedTo, now);
  }
});

Deno.test("a clock that was set back starts no time twice, and goes on from where it is", () => {
  const night = at("2026-01-11T01:30:00Z");
  const back = decided({}, { decidedTo: night + HOUR }, night - HOUR);
  assert.deepEqual([back.start, back.missed, back.decidedTo], [[], 0, night - HOUR]);
});

Deno.test("a year of minutes is not counted one by one", () => {
  const now = at("2026-06-01T00:00:00Z");
  const decision = decided({ cron: "* * * * *" }, { decidedTo: now - 365 * 24 * HOUR }, now);
  assert.deepEqual(decision.start, [now]);
  assert.equal(decision.missed, MOST_LOOKED_AT);
  assert.ok(decision.miss.length <= 20);
});

Deno.test("each time ends in one way, however often and by whomever it is asked", () => {
  const times = {
    between: (after: number, until: number, most: number) => {
      const found: number[] = [];
      for (let time = Math.floor(until / 10) * 10; time > after; time -= 10) found.push(time);
      return { times: found.slice(0, most).reverse(), isMore: found.length > most };
    },
  };
  const step = fc.record({ ms: fc.nat(120_000), ends: fc.boolean(), dies: fc.boolean() });
  fc.assert(
    fc.property(
      fc.constantFrom(...OVERLAPS),
      fc.constantFrom(...CATCH_UPS),
      fc.option(fc.integer({ min: 1, max: 200_000 }), { nil: undefined }),
      fc.array(step, { maxLength: 12 }),
      (overlap, catchUp, startWithinMs, steps) => {
        const schedule = { ...NIGHTLY, overlap, catchUp, startWithinMs };
        // Every 10 s.
        const seconds = {
          between: (after: number, until: number, most: number) => {
            const { times: found, isMore } = times.between(after / 1000, until / 1000, most);
            return { times: found.map((time) => time * 1000), isMore };
          },
        };
        let now = 0;
        let known: Known = IDLE;
        const ended = new Map<number, string>();
        for (const { ms, ends, dies } of steps) {
          now += ms;
          const decision = decide(schedule, known, { times: seconds, now });
          const over = [
            ...decision.start.map((time) => [time, "start"] as const),
            ...decision.skip.map((time) => [time, "skip"] as const),
            ...decision.miss.map((time) => [time, "miss"] as const),
          ];
          for (const [time, how] of over) {
            const before = ended.get(time);
            assert.ok(before === undefined || known.abandoned.includes(time), `${time} ${before}`);
            assert.ok(!decision.queue.includes(time));
            ended.set(time, how);
          }
          if (overlap !== "parallel") {
            assert.ok(decision.start.length + (decision.start.length > 0 ? known.running : 0) <= 1);
          }
          for (const time of known.queued) {
            assert.ok(ended.has(time) || decision.queue.includes(time), `${time} is lost`);
          }
          // Whoever was to start it may die before it does.
          const started = dies ? [] : decision.start;
          known = {
            ...IDLE,
            decidedTo: decision.decidedTo,
            queued: decision.queue,
            abandoned: dies ? decision.start : [],
            running: ends ? 0 : known.running + started.length,
          };
        }
      },
    ),
    { numRuns: Number(Deno.env.get("GRID_TEST_ROUNDS") ?? 1) * 150 },
  );
});
