/** Times by a cron expression in a time zone; the clock changes of the zone are croner's business. */
import { Cron } from "npm:croner@11.0.1";

/** Where an expression is wrong. */
export interface CronFault {
  readonly message: string;
  readonly hint: string;
  /** Part of the expression that is meant. */
  readonly span: { readonly index: number; readonly length: number };
}

/** Times that came, oldest first; the newest of them where there were more. */
export interface PastTimes {
  readonly times: readonly number[];
  readonly isMore: boolean;
}

/**
 * All times in milliseconds since the Unix epoch, on whole seconds.
 *
 * As with Vixie cron, fixed times (no `*` and no step in minutes and hours) that the clock leaves out
 * come right behind the gap, and those that it has twice come once, the first time. Others come as
 * often as the clock shows them. https://github.com/Hexagon/croner/blob/11.0.1/README.md#pattern
 */
export class CronTimes {
  readonly #cron: Cron;

  /** Both must have been checked. */
  constructor(expression: string, zone: string) {
    this.#cron = parse(expression, zone);
  }

  /** The first after this moment; undefined where there is none within the calendar. */
  next(after: number): number | undefined {
    return this.#cron.nextRun(new Date(after))?.getTime();
  }

  /** Behind `after`, up to and with `until`. */
  between(after: number, until: number, most: number): PastTimes {
    const found: number[] = [];
    // croner leaves out the moment itself; each time costs it about a millisecond.
    let before = until + 1;
    while (found.length <= most) {
      const [time] = this.#cron.previousRuns(1, new Date(before));
      if (time === undefined || time.getTime() <= after) break;
      found.push(before = time.getTime());
    }
    return { times: found.slice(0, most).reverse(), isMore: found.length > most };
  }
}

function parse(expression: string, zone: string): Cron {
  return new Cron(expression, {
    timezone: zone,
    mode: "5-or-6-parts",
    fixedTimeRule: "no-wildcard",
    paused: true,
  });
}

const FIELDS = [
  ["second", "0 to 59"],
  ["minute", "0 to 59, such as 0, */15 or 0,30"],
  ["hour", "0 to 23, such as 2, 8-18 or */6"],
  ["day of the month", "1 to 31, such as 1, */2 or L for the last"],
  ["month", "1 to 12, or JAN to DEC"],
  ["day of the week", "0 to 7, where 0 and 7 are Sunday, or MON to SUN"],
] as const;
const NICKNAMES = ["@hourly", "@daily", "@midnight", "@weekly", "@monthly", "@yearly", "@annually"];

/** What is wrong with an expression; undefined where nothing is. */
export function cronFault(expression: string): CronFault | undefined {
  const fields = [...expression.matchAll(/\S+/g)];
  const whole = { index: 0, length: expression.length };
  if (expression.startsWith("@")) {
    if (NICKNAMES.includes(expression.trim())) return undefined;
    return {
      message: `"${expression}" is no time that cron knows`,
      hint: `known: ${NICKNAMES.join(", ")}`,
      span: whole,
    };
  }
  if (fields.length !== 5 && fields.length !== 6) {
    return {
      message: `${fields.length} fields are no cron expression`,
      hint: "write minute, hour, day, month and weekday: 17 2 * * * is every night at 02:17",
      span: whole,
    };
  }
  const known = fields.length === 6 ? FIELDS : FIELDS.slice(1);
  for (const [at, [field]] of fields.entries()) {
    const alone = fields.map((_, index) => index === at ? field : "*").join(" ");
    if (parses(alone)) continue;
    const [name, values] = known[at] ?? FIELDS[0];
    return {
      message: `"${field}" is no ${name}`,
      hint: values,
      span: { index: fields[at]?.index ?? 0, length: field.length },
    };
  }
  if (parses(expression) && parse(expression, "UTC").nextRun() !== null) return undefined;
  return {
    message: "this time never comes",
    hint: "no year has such a day in such a month",
    span: whole,
  };
}

function parses(expression: string): boolean {
  try {
    parse(expression, "UTC");
    return true;
  } catch {
    return false; // the only way in which croner says so
  }
}

/** Whether the calendar of this machine knows the zone: by name, not by a difference of hours. */
export function isTimeZone(zone: string): boolean {
  if (!/^[A-Za-z]/.test(zone)) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }) !== undefined;
  } catch {
    return false; // RangeError for what it does not know
  }
}

/** As the database writes it: systemd and the C library know `Europe/Berlin`, not `europe/berlin`. */
export function zoneName(zone: string): string {
  const known = new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone;
  // Of an old name that stands for another one, what was written is kept.
  return known.toLowerCase() === zone.toLowerCase() ? known : zone;
}

export function timeZones(): readonly string[] {
  return ["UTC", ...Intl.supportedValuesOf("timeZone")];
}

/** Of the machine, which is what its cron goes by. */
export function ownTimeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
