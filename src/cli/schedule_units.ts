/** What starts the runs of a schedule without Grid: a timer of systemd, or lines of a crontab. */
import { distinctName } from "../core/file_names.ts";
import { GridError } from "../core/errors.ts";
import { quote } from "../core/shell.ts";
import { onCalendar, plainCron } from "../schedule/other_words.ts";
import type { Schedule } from "../schedule/schedule.ts";
import { oneLine } from "../terminal/harmless.ts";

export interface UnitOptions {
  /** Its name. */
  readonly pipeline: string;
  /** Its file, as the project calls it. */
  readonly file: string;
  /** Absolute. */
  readonly project: string;
  /** Absolute, of Grid. */
  readonly program: string;
  readonly schedules: readonly Schedule[];
}

export interface UnitFile {
  /** Below the project. */
  readonly path: string;
  readonly text: string;
}

/** A service and a timer per schedule. @throws {GridError} `usage` for what systemd has no words for */
export function systemdUnits(options: UnitOptions): readonly UnitFile[] {
  const { pipeline, project, schedules } = options;
  refuseBreaks([project, options.program], "a unit of systemd");
  return schedules.flatMap((schedule) => {
    const words = ["grid", pipeline, ...(schedules.length > 1 ? [schedule.name] : [])];
    const name = unitName(words);
    const times = onCalendar(schedule);
    if (times === undefined) throw noWords(schedule, "systemd");
    const about = `Grid pipeline ${oneLine(pipeline)}`;
    const service = [
      `# ${
        oneLine(options.file)
      }, started by ${name}.timer. Its exit code tells why a run went wrong: 1 a step`,
      "# failed, 3 no node, 4 too late, 5 another run is in the way. systemd starts no second run while",
      `# one goes on${
        schedule.overlap === "skip"
          ? "."
          : `, though the schedule says overlap: ${schedule.overlap}.`
      }`,
      "[Unit]",
      `Description=${about.replaceAll("%", "%%")}`,
      "",
      "[Service]",
      "Type=oneshot",
      `WorkingDirectory=${project.replaceAll("%", "%%")}`,
      `ExecStart=${runWords(options, schedule).map(systemdWord).join(" ")}`,
      "# A run that is stopped ends its steps itself.",
      "KillMode=mixed",
    ];
    const timer = [
      `# ${oneLine(schedule.cron)} of ${oneLine(options.file)}, made by grid ci init systemd.`,
      "[Unit]",
      `Description=Times of ${about.replaceAll("%", "%%")}`,
      "",
      "[Timer]",
      ...times.map((time) => `OnCalendar=${time}`),
      "AccuracySec=1s",
      `Persistent=${schedule.catchUp !== "none"}`,
      "",
      "[Install]",
      "WantedBy=timers.target",
    ];
    return [
      { path: `ci/${name}.service`, text: `${service.join("\n")}\n` },
      { path: `ci/${name}.timer`, text: `${timer.join("\n")}\n` },
    ];
  });
}

/** Of the machine's cron. */
export interface CronFacts {
  /** By whose clock it goes. */
  readonly zone: string;
  /** Whether it reads `CRON_TZ`, as cronie does. */
  readonly knowsZones: boolean;
}

/** @throws {GridError} `usage` for times and words that no crontab of this machine can say */
export function crontabOf(options: UnitOptions, cron: CronFacts): UnitFile {
  const { pipeline, project, schedules } = options;
  const zones = new Set(schedules.map(({ zone }) => zone));
  const other = [...zones].find((zone) => !isSameZone(zone, cron.zone));
  if (other !== undefined && !cron.knowsZones) throw otherZone(other, cron.zone);
  const lines = schedules.map((schedule) => {
    const time = plainCron(schedule.cron);
    if (time === undefined) throw noWords(schedule, "cron");
    refuseBreaks([project, ...runWords(options, schedule)], "a crontab");
    const command = [
      `cd ${quote(project)}`,
      `exec ${runWords(options, schedule).map(quote).join(" ")}`,
    ];
    // cron ends a command at a `%`.
    const words = command.join(" && ").replaceAll("%", "\\%");
    if (!cron.knowsZones) refuseLong(words);
    const line = `${time} ${words}`;
    return other === undefined ? [line] : [`CRON_TZ=${schedule.zone}`, line];
  });
  const text = [
    `# The schedule of ${oneLine(pipeline)}, by the clock of ${
      other ?? cron.zone
    }. cron knows its times alone: what is`,
    "# missed is not made up for, and a run that goes on keeps no other from beginning, unless",
    "# `concurrency` of the pipeline says so. What went wrong is in the mail that cron sends, and the exit",
    "# code tells why: 1 a step failed, 3 no node, 4 too late, 5 another run is in the way.",
    "# MAILTO=ml-team@example.org",
    ...lines.flat(),
  ];
  return { path: "ci/crontab", text: `${text.join("\n")}\n` };
}

function runWords({ program, file }: UnitOptions, { inputs }: Schedule): string[] {
  const given = Object.entries(inputs).flatMap(([name, value]) => ["-i", `${name}=${value}`]);
  return [program, "run", file.startsWith("-") ? `./${file}` : file, ...given, "--quiet"];
}

/** A line ends where a word has a line break, and what follows would be a line of its own. */
export function refuseBreaks(words: readonly string[], where: string): void {
  const word = words.find((word) => /[\n\r\0]/.test(word));
  if (word === undefined) return;
  throw new GridError({
    code: "usage",
    message: `Cannot write ${where}: ${JSON.stringify(word.slice(0, 100))} has a line break`,
    hint: "grid serve --schedule starts these runs",
  });
}

/** Of the cron of Paul Vixie, from which most come: `MAX_COMMAND` in its cron.h, less its end. */
const LONGEST_COMMAND = 998;

export function refuseLong(command: string): void {
  const { length } = new TextEncoder().encode(command);
  if (length <= LONGEST_COMMAND) return;
  throw new GridError({
    code: "usage",
    message:
      `Cannot write a crontab: its command has ${length} bytes, and cron reads ${LONGEST_COMMAND}`,
    hint: "give long inputs a default in the pipeline; grid serve --schedule knows no such limit",
  });
}

function unitName(words: readonly string[]): string {
  const plain = words.join("-");
  // Two words that make one name are told apart where their parts are not plain.
  return words.every((word) => /^[A-Za-z0-9_]+$/.test(word)) ? plain : distinctName(words);
}

/** https://www.freedesktop.org/software/systemd/man/252/systemd.service.html#Command%20lines */
export function systemdWord(word: string): string {
  const plain = word.replaceAll("%", "%%").replaceAll("$", "$$$$");
  if (/^[A-Za-z0-9_\/:.,@%+=$-]+$/.test(plain)) return plain;
  const escaped = plain.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
  return `"${escaped}"`;
}

function isSameZone(one: string, other: string): boolean {
  const known = (zone: string) =>
    new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone;
  return known(one) === known(other);
}

function noWords({ cron }: Schedule, who: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot say "${cron}" in the words of ${who}: it has none for that`,
    hint: "grid serve --schedule starts these runs",
  });
}

function otherZone(zone: string, own: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot write a crontab for ${zone}: cron goes by the clock of this machine, ${own}`,
    hint: "grid ci init systemd knows time zones, as does grid serve --schedule; " +
      `or write time-zone: ${own}`,
  });
}
