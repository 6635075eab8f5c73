/** A cron expression taken apart, for who has to say the same in other words. */

/** Its values in rising order; undefined: any. */
export type FieldValues = readonly number[] | undefined;

export interface CronFields {
  readonly second: FieldValues;
  readonly minute: FieldValues;
  readonly hour: FieldValues;
  readonly day: FieldValues;
  /** The last day of the month, too. */
  readonly isLastDay: boolean;
  readonly month: FieldValues;
  /** 0 to 6 from Sunday on. */
  readonly weekday: FieldValues;
}

const NICKNAMES: Readonly<Record<string, string>> = {
  "@hourly": "0 * * * *",
  "@daily": "0 0 * * *",
  "@midnight": "0 0 * * *",
  "@weekly": "0 0 * * 0",
  "@monthly": "0 0 1 * *",
  "@yearly": "0 0 1 1 *",
  "@annually": "0 0 1 1 *",
};
const MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split(" ");
const DAYS = "SUN MON TUE WED THU FRI SAT".split(" ");

/** Of an expression that was checked; undefined where it says more than lists of values can. */
export function cronFields(expression: string): CronFields | undefined {
  const words = (NICKNAMES[expression.trim()] ?? expression).trim().split(/\s+/);
  const [second, minute, hour, day, month, weekday] = words.length === 6 ? words : ["0", ...words];
  if (/[#W+]|.L|L./i.test(day ?? "") || /[#+]|L/i.test((weekday ?? "").replace(/JUL/gi, ""))) {
    return undefined;
  }
  const dayWords = (day ?? "").split(",");
  const isLastDay = dayWords.includes("L");
  const plainDays = dayWords.filter((word) => word !== "L").join(",");
  const weekdays = valuesOf(named(weekday ?? "", DAYS, 0), 0, 7);
  return {
    second: valuesOf(second ?? "", 0, 59),
    minute: valuesOf(minute ?? "", 0, 59),
    hour: valuesOf(hour ?? "", 0, 23),
    day: plainDays === "" ? [] : valuesOf(plainDays, 1, 31),
    isLastDay,
    month: valuesOf(named(month ?? "", MONTHS, 1), 1, 12),
    weekday: weekdays && [...new Set(weekdays.map((number) => number % 7))].toSorted(),
  };
}

function named(field: string, names: readonly string[], first: number): string {
  return field.replaceAll(
    /[A-Za-z]{3}/g,
    (name) => String(names.indexOf(name.toUpperCase()) + first),
  );
}

function valuesOf(field: string, least: number, most: number): FieldValues {
  if (field === "*" || field === "?") return undefined;
  const values = new Set<number>();
  for (const part of field.split(",")) {
    const [range = "", step = "1"] = part.split("/");
    const [from, to = from] = range === "*" || range === "?"
      ? [least, most === 7 ? 6 : most]
      : range.split("-").map(Number);
    for (let value = from ?? 0; value <= (to ?? 0); value += Number(step)) values.add(value);
  }
  return [...values].toSorted((a, b) => a - b);
}
