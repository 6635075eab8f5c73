/** Grid's own diary, one record per line. */
import type { JsonValue } from "../core/json.ts";
import { harmless } from "./harmless.ts";
import { createPaint, type Hue } from "./style.ts";
import { createTimeOfDay } from "./time_of_day.ts";

/** As `@logtape/logtape` delivers it. */
export interface LogRecordLike {
  readonly category: readonly string[];
  readonly level: string;
  /** Texts and values in turn, starting and ending with a text. */
  readonly message: readonly unknown[];
  /** Milliseconds since the Unix epoch. */
  readonly timestamp: number;
  readonly properties: Readonly<Record<string, unknown>>;
}

export interface LogLineOptions {
  readonly format: "pretty" | "json";
  readonly color: boolean;
  /** Default: the reader's own. */
  readonly timeZone?: string;
}

const HUES: Readonly<Record<string, Hue>> = {
  debug: "dim",
  info: "cyan",
  warning: "yellow",
  error: "red",
  fatal: "red",
};

/** One line, ending in a newline. */
export function renderLogRecord(record: LogRecordLike, options: LogLineOptions): string {
  return options.format === "json" ? jsonLine(record) : prettyLine(record, options);
}

function prettyLine(record: LogRecordLike, options: LogLineOptions): string {
  const paint = createPaint(options.color);
  const time = createTimeOfDay(options.timeZone)(record.timestamp);
  const level = record.level === "warning" ? "warn" : record.level;
  const room = record.category.slice(1).join(".") || record.category.join(".");
  const hue = HUES[record.level] ?? "dim";
  const words = harmless(messageOf(record).replaceAll(/\r?\n/g, " ⏎ "), { color: false });
  return `${paint.dim(time)} ${paint[hue](level.padEnd(5))} ${paint.dim(`${room}:`)} ${words}\n`;
}

function jsonLine(record: LogRecordLike): string {
  return JSON.stringify({
    time: new Date(record.timestamp).toISOString(),
    level: record.level === "warning" ? "warn" : record.level,
    logger: record.category.join("."),
    message: messageOf(record),
    ...(Object.keys(record.properties).length > 0 && { properties: plain(record.properties) }),
  }) + "\n";
}

function messageOf(record: LogRecordLike): string {
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
