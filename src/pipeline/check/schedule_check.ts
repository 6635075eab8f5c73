/** `schedule:`, where what the schema cannot know is checked: times, zones, inputs. */
import { nearest } from "../../core/did_you_mean.ts";
import { setOwn } from "../../core/own.ts";
import { suggest } from "../../document/shape/check.ts";
import { cronFault, isTimeZone, timeZones, zoneName } from "../../schedule/cron.ts";
import type { Schedule } from "../../schedule/schedule.ts";
import { type InputSpec, parseInput } from "../input/inputs.ts";
import { declaredIn } from "../input/typed_input.ts";
import { durationMs } from "../policy.ts";
import type { PipelineFile, ScheduleEntry } from "../schema.ts";
import type { TextReader } from "../../expression/reader.ts";

export interface ScheduleCheck {
  readonly reader: TextReader;
  readonly inputs: ReadonlyMap<string, InputSpec>;
}

/** Of the only schedule of a file, which needs no name to be told from others. */
const ONLY = "schedule";

/** The schedules of a file; what is wrong with them is reported. */
export function readSchedules(file: PipelineFile, check: ScheduleCheck): readonly Schedule[] {
  if (file.schedule === undefined) return [];
  const entries = Array.isArray(file.schedule) ? file.schedule : [file.schedule];
  if (entries.length > 1) checkNames(entries, check.reader);
  return entries.map((entry) => readSchedule(entry, check));
}

function readSchedule(entry: ScheduleEntry, check: ScheduleCheck): Schedule {
  checkTimes(entry, check.reader);
  checkCatchUp(entry, check.reader);
  const startWithin = entry["start-within"];
  return {
    name: entry.name ?? ONLY,
    cron: entry.cron,
    zone: zoneOf(entry),
    overlap: entry.overlap ?? "skip",
    catchUp: entry["catch-up"] ?? "last",
    startWithinMs: startWithin === undefined ? undefined : durationMs(startWithin),
    inputs: readGiven(entry, check),
    isEnabled: entry.enabled ?? true,
  };
}

function checkNames(entries: readonly ScheduleEntry[], reader: TextReader): void {
  for (const [at, entry] of entries.entries()) {
    const isTaken = entries.slice(0, at).some(({ name }) => name === entry.name);
    if (entry.name !== undefined && !isTaken) continue;
    reader.report({
      rule: "schedule-name",
      spot: entry.name === undefined
        ? reader.source.keySpot(entry, "cron")
        : reader.source.valueSpot(entry, "name"),
      message: entry.name === undefined
        ? "each of several schedules needs a name"
        : `another schedule is called "${entry.name}", too`,
      hint: "add name: weekdays, or whatever tells it from the others",
    });
  }
}

function zoneOf({ "time-zone": zone = "UTC" }: ScheduleEntry): string {
  return isTimeZone(zone) ? zoneName(zone) : zone;
}

function checkTimes(entry: ScheduleEntry, reader: TextReader): void {
  const { source } = reader;
  const fault = cronFault(entry.cron);
  if (fault !== undefined) {
    const { message, hint, span } = fault;
    const spot = source.spotWithin(entry, "cron", span);
    reader.report({ rule: "bad-cron", spot, message, hint });
  }
  const zone = entry["time-zone"];
  if (zone === undefined || isTimeZone(zone)) return;
  reader.report({
    rule: "bad-time-zone",
    spot: source.valueSpot(entry, "time-zone"),
    message: `"${zone}" is no time zone`,
    hint: zoneHint(zone),
  });
}

function zoneHint(zone: string): string {
  if (/\d/.test(zone)) {
    return "write a place, such as Europe/Berlin: its clock changes, a difference does not";
  }
  const known = timeZones();
  const isCity = (name: string) => name.split("/").at(-1)?.toLowerCase() === zone.toLowerCase();
  const best = known.find(isCity) ?? nearest(zone, known);
  return best === undefined
    ? "write a name of the IANA database, such as Europe/Berlin or UTC"
    : `did you mean "${best}"?`;
}

function checkCatchUp(entry: ScheduleEntry, reader: TextReader): void {
  const overlap = entry.overlap ?? "skip";
  if (entry["catch-up"] !== "all" || overlap === "queue" || overlap === "parallel") return;
  reader.report({
    severity: "warning",
    rule: "idle-catch-up",
    spot: reader.source.valueSpot(entry, "catch-up"),
    message: `catch-up: all starts a single run beside overlap: ${overlap}`,
    hint: "write overlap: queue, or catch-up: last",
  });
}

/** As `-i name=value` takes them. */
function readGiven(
  entry: ScheduleEntry,
  { reader, inputs }: ScheduleCheck,
): Readonly<Record<string, string>> {
  const given = entry.with ?? {};
  const values: Record<string, string> = {};
  for (const name of Object.keys(given)) {
    const text = reader.spelling(given, name);
    const spec = inputs.get(name);
    const report = (key: "key" | "value", message: string, hint?: string) =>
      reader.report({
        rule: key === "key" ? "unknown-input" : "bad-input",
        spot: key === "key"
          ? reader.source.keySpot(given, name)
          : reader.source.valueSpot(given, name),
        message,
        hint,
      });
    const parsed = spec && parseInput(spec, text);
    if (spec === undefined) {
      report(
        "key",
        `the pipeline has no input "${name}"`,
        suggest(name, [...inputs.keys()], "inputs"),
      );
    } else if (text.includes("${{")) {
      report("value", "an expression is not possible here", "write the value itself");
    } else if (parsed?.ok === false) {
      report("value", `input "${name}" ${parsed.problem}`, declaredIn(spec));
    }
    setOwn(values, name, text);
  }
  checkRequired(entry, { reader, inputs });
  return values;
}

/** What a person would be asked for has to stand here. */
function checkRequired(entry: ScheduleEntry, { reader, inputs }: ScheduleCheck): void {
  for (const spec of inputs.values()) {
    const isGiven = Object.hasOwn(entry.with ?? {}, spec.name);
    if (!spec.required || spec.default !== undefined || isGiven) continue;
    reader.report({
      rule: "missing-input",
      spot: reader.source.keySpot(entry, "cron"),
      message: `its runs need the input "${spec.name}"`,
      hint: `add with: { ${spec.name}: … } below cron:`,
    });
  }
}
