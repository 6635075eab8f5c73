/** Times by a cron expression: across both changes of the clock, backwards as forwards, and its mistakes. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { cronFault, CronTimes, isTimeZone, zoneName } from "../../../src/schedule/cron.ts";
import { zonedTime } from "../../../src/schedule/zoned_time.ts";

const BERLIN = "Europe/Berlin";
const DAY = 86_400_000;
const at = (text: string) => Date.parse(text);

/** As the clocks show them, from noon (UTC) of a day on. */
function shown(cron: string, day: string, count: number): string[] {
  const times = new CronTimes(cron, BERLIN);
  const found: string[] = [];
  for (let last = at(`${day}T20:00:00Z`); found.length < count;) {
    last = times.next(last) ?? assert.fail("no further time");
    found.push(zonedTime(last, BERLIN).slice(5));
  }
  return found;
}

Deno.test("a fixed time that the clock leaves out comes right behind the gap", () => {
  assert.deepEqual(shown("30 2 * * *", "2026-03-27", 3), [
    "03-28 02:30 +01:00",
    "03-29 03:00 +02:00",
    "03-30 02:30 +02:00",
  ]);
  // So does one of several.
  assert.deepEqual(shown("30 2,14 * * *", "2026-03-28", 2), [
    "03-29 03:00 +02:00",
    "03-29 14:30 +02:00",
  ]);
});

Deno.test("a fixed time that the clock has twice comes once, the first time", () => {
  assert.deepEqual(shown("30 2 * * *", "2026-10-24", 3), [
    "10-25 02:30 +02:00",
    "10-26 02:30 +01:00",
    "10-27 02:30 +01:00",
  ]);
});

Deno.test("what comes every so often goes on through both changes", () => {
  assert.deepEqual(shown("*/30 1-3 * * *", "2026-10-24", 9).map((time) => time.slice(6)), [
    "01:00 +02:00",
    "01:30 +02:00",
    "02:00 +02:00",
    "02:30 +02:00",
    "02:00 +01:00",
    "02:30 +01:00",
    "03:00 +01:00",
    "03:30 +01:00",
    "01:00 +01:00",
  ]);
  assert.deepEqual(shown("*/30 1-3 * * *", "2026-03-28", 4).map((time) => time.slice(6)), [
    "01:00 +01:00",
    "01:30 +01:00",
    "03:00 +02:00",
    "03:30 +02:00",
  ]);
});

Deno.test("times that came are those that were to come, oldest first, and bounded", () => {
  const crons = fc.constantFrom(
    "30 2 * * *",
    "0 */3 * * *",
    "*/20 1-3 * * *",
    "15 2,14 1-7 * MON",
    "0 0 L * *",
    "5 4 * * SUN",
  );
  const zones = fc.constantFrom(BERLIN, "America/New_York", "Australia/Lord_Howe", "UTC");
  const days = fc.constantFrom(
    "2026-03-08",
    "2026-03-29",
    "2026-10-25",
    "2026-11-01",
    "2026-04-05",
  );
  fc.assert(
    fc.property(crons, zones, days, fc.nat(47), (cron, zone, day, hours) => {
      const times = new CronTimes(cron, zone);
      const from = at(`${day}T00:00:00Z`) - hours * 1_800_000;
      const until = from + 2 * DAY;
      const forward: number[] = [];
      for (let next = times.next(from); next !== undefined && next <= until;) {
        forward.push(next);
        next = times.next(next);
      }
      assert.deepEqual(times.between(from, until, 500), { times: forward, isMore: false });
      const { times: some, isMore } = times.between(from, until, 2);
      assert.deepEqual(some, forward.slice(-2));
      assert.equal(isMore, forward.length > 2);
    }),
    { numRuns: Number(Deno.env.get("GRID_TEST_ROUNDS") ?? 1) * 12 },
  );
});

Deno.test("a wrong expression is told at its wrong part", () => {
  const told = (cron: string) => {
    const { message, span } = cronFault(cron) ?? assert.fail(`${cron} is right`);
    return [cron.slice(span.index, span.index + span.length), message];
  };
  assert.deepEqual(told("17 25 * * *"), ["25", '"25" is no hour']);
  assert.deepEqual(told("  17  2 * * MOO"), ["MOO", '"MOO" is no day of the week']);
  assert.deepEqual(told("0 61 2 * * *"), ["61", '"61" is no minute']);
  assert.deepEqual(told("0 0 31 2 *"), ["0 0 31 2 *", "this time never comes"]);
  assert.deepEqual(told("17 2 * *"), ["17 2 * *", "4 fields are no cron expression"]);
  assert.deepEqual(told("@reboot"), ["@reboot", '"@reboot" is no time that cron knows']);
  // A date is a time for croner, but no cron expression.
  assert.equal(told("2026-01-31T02:00:00")[1], "1 fields are no cron expression");
  for (
    const right of [
      "17 2 * * *",
      "@daily",
      "*/5 8-18 * JAN-MAR mon,WED",
      "*/2 * * * * *",
      "0 0 L * *",
    ]
  ) {
    assert.equal(cronFault(right), undefined, right);
  }
});

Deno.test("a time zone is called as the database calls it", () => {
  assert.equal(zoneName("europe/berlin"), "Europe/Berlin");
  assert.equal(zoneName("utc"), "UTC");
  // One that stands for another keeps its own name.
  assert.equal(zoneName("US/Pacific"), "US/Pacific");
});

Deno.test("a time zone has a name", () => {
  for (const zone of ["UTC", BERLIN, "America/New_York"]) assert.ok(isTimeZone(zone), zone);
  for (const zone of ["+02:00", "Berlin", "", "Europe/Nowhere"]) assert.ok(!isTimeZone(zone), zone);
});
