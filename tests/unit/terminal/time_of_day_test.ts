import assert from "node:assert/strict";
import { createTimeOfDay } from "../../../src/terminal/time_of_day.ts";

const INSTANTS = [0, 999, 1000, Date.UTC(2026, 0, 31, 23, 59, 59), Date.UTC(2026, 6, 1, 0, 0, 7)];

Deno.test("createTimeOfDay() says the reader's own time where no zone is named", () => {
  const { timeZone } = new Intl.DateTimeFormat().resolvedOptions();
  for (const at of INSTANTS) assert.equal(createTimeOfDay()(at), createTimeOfDay(timeZone)(at));
});

Deno.test("createTimeOfDay() follows a named zone, and the clock", () => {
  const inTokyo = createTimeOfDay("Asia/Tokyo");
  assert.deepEqual(INSTANTS.map(inTokyo), [
    "09:00:00",
    "09:00:00",
    "09:00:01",
    "08:59:59",
    "09:00:07",
  ]);
});
