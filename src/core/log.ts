/** Grid's own diary: what its rooms have to say beside a run, silent until the program turns it on. */
import { systemClock } from "./clock.ts";

const LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = typeof LEVELS[number];

export interface LogRecord {
  readonly room: string;
  readonly level: LogLevel;
  /** Texts and values in turn, starting and ending with a text. */
  readonly message: readonly unknown[];
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number;
  readonly properties: LogProperties;
}

type LogProperties = Readonly<Record<string, unknown>>;

/** `log.warn("{node}: {problem}", { node, problem })`; without properties a text stands as it is. */
export type Logger = Readonly<
  Record<LogLevel, (text: string, properties?: LogProperties) => void>
>;

export interface LogOptions {
  readonly level: LogLevel;
  /** Receives every record at or above the level. */
  readonly sink: (record: LogRecord) => void;
}

let turnedOn: LogOptions | undefined;

/** Turns the diary on; called once, by the program. */
export function configureLog(options: LogOptions): void {
  turnedOn = options;
}

/** The diary of one room: silent until `configureLog` has been called. */
export function getLogger(room: string): Logger {
  const at = (level: LogLevel) => (text: string, properties?: LogProperties) => {
    if (turnedOn === undefined || LEVELS.indexOf(level) < LEVELS.indexOf(turnedOn.level)) return;
    turnedOn.sink({
      room,
      level,
      message: properties === undefined ? [text] : filledIn(text, properties),
      timestamp: systemClock.now(),
      properties: properties ?? {},
    });
  };
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

/** What stands in braces and is no property is text. */
function filledIn(text: string, properties: LogProperties): readonly unknown[] {
  const parts: unknown[] = [];
  let from = 0;
  for (const { 0: braced, 1: name = "", index } of text.matchAll(/\{(\w+)\}/g)) {
    if (!Object.hasOwn(properties, name)) continue;
    parts.push(text.slice(from, index), properties[name]);
    from = index + braced.length;
  }
  return [...parts, text.slice(from)];
}
