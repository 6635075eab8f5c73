import {
  configure,
  getLogger as logtapeLogger,
  type Logger,
  type LogRecord,
} from "npm:@logtape/logtape@2.4.2";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type { Logger, LogRecord };

/** The diary of one room: silent until `configureLog` has been called. */
export function getLogger(room: string): Logger {
  return logtapeLogger(["grid", room]);
}

export interface LogOptions {
  readonly level: LogLevel;
  /** Receives every record at or above the level. */
  readonly sink: (record: LogRecord) => void;
}

/** Turns the diary on; called once, by the program. */
export async function configureLog(options: LogOptions): Promise<void> {
  const lowestLevel = options.level === "warn" ? "warning" : options.level;
  await configure({
    reset: true,
    sinks: { grid: options.sink },
    loggers: [
      { category: ["grid"], lowestLevel, sinks: ["grid"] },
      { category: ["logtape", "meta"], lowestLevel: "error", sinks: ["grid"] },
    ],
  });
}
