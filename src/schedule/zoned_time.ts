/** A moment as the clocks of a time zone show it: `2026-10-25 02:30 +02:00`, seconds where there are some. */
export function zonedTime(ms: number, zone: string): string {
  const parts = new Map(format(zone).formatToParts(ms).map(({ type, value }) => [type, value]));
  const [year, month, day, hour, minute, second] = FIELDS.map((name) => parts.get(name) ?? "");
  const offset = (parts.get("timeZoneName") ?? "").replace("GMT", "") || "+00:00";
  const seconds = second === "00" ? "" : `:${second}`;
  return `${year}-${month}-${day} ${hour}:${minute}${seconds} ${offset}`;
}

const FIELDS = ["year", "month", "day", "hour", "minute", "second"] as const;

/** Making one takes longer than using it. */
const formats = new Map<string, Intl.DateTimeFormat>();

function format(zone: string): Intl.DateTimeFormat {
  const known = formats.get(zone);
  if (known) return known;
  const made = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
    timeZoneName: "longOffset",
  });
  formats.set(zone, made);
  return made;
}
