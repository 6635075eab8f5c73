/** For alerts on times that passed with nobody to start a run. */
import type { ScheduleReading } from "./reading.ts";
import type { Metrics, Series } from "./series.ts";

const TIMES = "grid_schedule_times_total";
const DUE = "grid_schedule_due_timestamp_seconds";

/** Nothing is exported where nothing begins by itself. */
export function addSchedules(metrics: Metrics, schedules: readonly ScheduleReading[]): void {
  if (schedules.length === 0) return;
  const [times, due]: [Series[], Series[]] = [[], []];
  for (const { pipeline, schedule, counts, dueAt } of schedules) {
    for (const [status, value] of Object.entries(counts)) {
      times.push({ name: TIMES, labels: { pipeline, schedule, status }, value });
    }
    if (dueAt === undefined) continue;
    due.push({ name: DUE, labels: { pipeline, schedule }, value: dueAt / 1000 });
  }
  metrics.push({
    name: TIMES,
    help: "Times of schedules, by what became of them",
    type: "counter",
    values: times,
  }, {
    name: DUE,
    help: "The first time of the schedule at which nobody has looked yet",
    type: "gauge",
    values: due,
  });
}
