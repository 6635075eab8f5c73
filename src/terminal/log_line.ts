/** Grid's own diary, one record per line. */
import type { JsonValue } from "../core/json.ts";
import type { LogLevel, LogRecord } from "../core/log.ts";
import { harmless } from "./harmless.ts";
import { createPaint, type Hue } from "./style.ts";
import { createTimeOfDay } from "./time_of_day.ts";

export interface LogLineOptions {
  readonly format: "pretty" | "json";
  readonly color: boolean;
  /** Default: the reader's own. */
  readonly timeZone?: string;
}

const HUES: Readonly<Record<LogLevel, Hue>> = {
  debug: "dim",
  info: "cyan",
  warn: "yellow",
  error: "red",
};

/** One line, ending in a newline. */
export function renderLogRecord(record: LogRecord, options: LogLineOptions): string {
  return options.format === "json" ? jsonLine(record) : prettyLine(record, options);
}

function prettyLine(record: LogRecord, options: LogLineOptions): string {
  const paint = createPaint(options.color);
  const time = createTimeOfDay(options.timeZone)(record.timestamp);
  const { level, room } = record;
  const words = harmless(messageOf(record).replaceAll(/\r?\n/g, " ⏎ "), { color: false });
  return `${paint.dim(time)} ${paint[HUES[level]](level.padEnd(5))} ${
    paint.dim(`${room}:`)
  } ${words}\n`;
}

function jsonLine(record: LogRecord): string {
  return JSON.stringify({
    time: new Date(record.timestamp).toISOString(),
    level: record.level,
    logger: `grid.${record.room}`,
    message: messageOf(record),
    ...(Object.keys(record.properties).length > 0 && { properties: plain(record.properties) }),
  }) + "\n";
}

function messageOf(record: LogRecord): string {
  return record.message.map((part) => typeof part === "string" ? part : valueText(part)).join("");
}

function valueText(value: unknown): string {
  const known = plain(value);
  return typeof known === "string" ? known : JSON.stringify(known);
}

/** Errors, byte arrays and what else JSON drops, as something a reader can use. */
function plain(value: unknown): JsonValue {
  if (value instanceof Error) return `${value.name}: ${value.message}`;
  if (value instanceof Uint8Array) return `<${value.length} bytes>`;
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === "object" && value !== null) {
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]));
  }
  if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  return String(value);
}
