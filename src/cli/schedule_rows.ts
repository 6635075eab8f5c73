/** What is known of schedules, as people are shown it. */
import { zonedTime } from "../schedule/zoned_time.ts";
import type { ScheduleRow } from "../store/schedules.ts";
import type { Slot } from "../store/slots.ts";
import type { Store } from "../store/store.ts";

/** So long after its time nobody has looked: whoever should have is not there. */
const OVERDUE_MS = 10_000;

export interface ShownSlot extends Slot {
  /** By the clock of the schedule. */
  readonly time: string;
  /** Of its run, if it began: `succeeded`, `running`, `stopped`; else what became of the time. */
  readonly result: string;
}

export interface ShownSchedule extends ScheduleRow {
  /** By its own clock. */
  readonly next: string | undefined;
  /** Nobody looks after it: no process that could be seen, or its next time is past. */
  readonly isLeft: boolean;
  readonly shown: readonly ShownSlot[];
}

export function shownSchedule(
  row: ScheduleRow,
  { store, now, most }: {
    readonly store: Pick<Store, "row" | "isAlive">;
    readonly now: number;
    /** Of its last times. */
    readonly most: number;
  },
): ShownSchedule {
  const { zone, nextAt, isServed, slots } = row;
  return {
    ...row,
    next: nextAt === undefined ? undefined : zonedTime(nextAt, zone),
    isLeft: isServed === false || (nextAt !== undefined && nextAt < now - OVERDUE_MS),
    shown: slots.slice(0, most).map((slot) => ({
      ...slot,
      time: zonedTime(slot.at, zone),
      result: resultOf(slot, store),
    })),
  };
}

function resultOf({ state, run }: Slot, store: Pick<Store, "row" | "isAlive">): string {
  const row = run === undefined ? undefined : store.row(run);
  if (row === undefined) return state;
  return row.result === "running" && !store.isAlive(row.run) ? "stopped" : row.result;
}
