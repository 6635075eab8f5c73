/** The same times in the words of systemd and of a plain crontab, which know less of them. */
import { type CronFields, cronFields, type FieldValues } from "./cron_fields.ts";
import type { Schedule } from "./schedule.ts";

const DAY_NAMES = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/**
 * Values for `OnCalendar=`, each of which adds times; undefined where systemd has no words.
 * https://www.freedesktop.org/software/systemd/man/252/systemd.time.html#Calendar%20Events
 */
export function onCalendar({ cron, zone }: Pick<Schedule, "cron" | "zone">) {
  const fields = cronFields(cron);
  if (fields === undefined) return undefined;
  const time = [fields.hour, fields.minute, fields.second].map(twoDigits).join(":");
  const month = twoDigits(fields.month);
  const date = (day: string) => `*-${month}${day}`;
  const dates = [
    ...(fields.day === undefined || fields.day.length > 0
      ? [date(`-${twoDigits(fields.day)}`)]
      : []),
    ...(fields.isLastDay ? [date("~01")] : []),
  ];
  const weekdays = fields.weekday?.map((day) => DAY_NAMES[day]).join(",");
  const isAnyDay = fields.day === undefined && !fields.isLastDay;
  // Of a day of the month and one of the week, cron takes either.
  const days = weekdays === undefined
    ? dates
    : [...(isAnyDay ? [] : dates), `${weekdays} ${date("-*")}`];
  return days.map((day) => `${day} ${time} ${zone}`);
}

function twoDigits(values: FieldValues): string {
  return values?.map((value) => String(value).padStart(2, "0")).join(",") ?? "*";
}

/** Five fields of numbers, which every cron understands; undefined where they cannot say it. */
export function plainCron(cron: string): string | undefined {
  const fields = cronFields(cron);
  if (fields === undefined || fields.isLastDay) return undefined;
  if (fields.second?.length !== 1 || fields.second[0] !== 0) return undefined;
  const { minute, hour, day, month, weekday }: CronFields = fields;
  return [minute, hour, day, month, weekday].map((values) => values?.join(",") ?? "*").join(" ");
}
