/** For alerts on times that passed with nobody to start a run. */
import { Counter, Gauge, type Registry } from "./prom_client.ts";
import type { ScheduleReading } from "./reading.ts";

/** Nothing is exported where nothing begins by itself. */
export function addSchedules(registry: Registry, schedules: readonly ScheduleReading[]): void {
  if (schedules.length === 0) return;
  const labelNames = ["pipeline", "schedule"];
  const times = new Counter({
    name: "grid_schedule_times_total",
    help: "Times of schedules, by what became of them",
    labelNames: [...labelNames, "status"],
    registers: [registry],
  });
  const due = new Gauge({
    name: "grid_schedule_due_timestamp_seconds",
    help: "The first time of the schedule at which nobody has looked yet",
    labelNames,
    registers: [registry],
  });
  for (const { pipeline, schedule, counts, dueAt } of schedules) {
    for (const [status, count] of Object.entries(counts)) {
      times.inc({ pipeline, schedule, status }, count);
    }
    if (dueAt !== undefined) due.set({ pipeline, schedule }, dueAt / 1000);
  }
}
