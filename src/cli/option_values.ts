/** How the words after an option become values. Wrong words are usage errors with exit code 2. */
import { parseDuration } from "../core/duration.ts";
import { GridError } from "../core/errors.ts";
import { expandNames } from "../core/name_ranges.ts";
import { parseSize } from "../core/size.ts";
import type { JsonValue } from "../core/json.ts";
import { WordError } from "./command_line/option.ts";

export function collect(value: string, before: readonly string[]): string[] {
  return [...before, value];
}

export function positiveInteger(value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number > 0) return number;
  throw new WordError("must be a whole number above 0");
}

export function wholeNumber(value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number >= 0) return number;
  throw new WordError("must be a whole number");
}

export function durationMs(value: string): number {
  const ms = parseDuration(value);
  if (ms !== undefined && ms > 0) return ms;
  throw new WordError("needs a number and a unit, such as 90s, 30m or 1h30m");
}

/**
 * Milliseconds until then: `4h`, the next `18:00` of this machine's clock, or a date of ISO 8601.
 *
 * @throws {GridError} `usage` for other words, and for what has passed
 */
export function timeAhead(value: string, now: number): number {
  const span = parseDuration(value);
  if (span !== undefined && span > 0) return span;
  const at = clockTime(value, now) ?? Date.parse(value);
  if (!Number.isFinite(at)) {
    throw new GridError({
      code: "usage",
      message: `Cannot read the time "${value}": it is neither a duration nor a time`,
      hint: "for example: 4h, 18:00, or 2026-11-30T08:00",
    });
  }
  if (at > now) return at - now;
  throw new GridError({
    code: "usage",
    message: `Cannot wait until "${value}": that time has passed`,
  });
}

/** The next time that this machine's clock shows it. */
function clockTime(value: string, now: number): number | undefined {
  const match = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(value);
  if (match === null) return undefined;
  const date = new Date(now);
  date.setHours(Number(match[1]), Number(match[2]), 0, 0);
  if (date.getTime() <= now) date.setDate(date.getDate() + 1);
  return date.getTime();
}

export function sizeBytes(value: string): number {
  const bytes = parseSize(value);
  if (bytes !== undefined && bytes > 0) return bytes;
  throw new WordError("needs a number and a unit, such as 500MB or 1GiB");
}

/** `["epochs=5"]` → `{epochs: "5"}`; the last of two wins. */
export function keyValues(words: readonly string[]): Record<string, string> {
  const entries = words.map((word): [string, string] => {
    const at = word.indexOf("=");
    if (at < 1) {
      throw new GridError({
        code: "usage",
        message: `Cannot read input "${word}": it must be name=value`,
        hint: "for example: -i epochs=5",
      });
    }
    return [word.slice(0, at), word.slice(at + 1)];
  });
  return Object.fromEntries(entries);
}

/** `gpu1,gpu[3-4]` → `["gpu1", "gpu3", "gpu4"]`. */
export function nameList(value: string): string[] {
  const names = expandNames(value);
  if (names === undefined) throw new WordError("needs names such as gpu1,gpu2 or gpu[1-8]");
  if (names.length > 0) return [...names];
  throw new WordError("needs at least one name");
}

/** Input values of an earlier run as the words that would set them again; no word sets one that had no value. */
export function inputWords(inputs: Readonly<Record<string, JsonValue>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(inputs).filter(([, value]) => value !== null).map(([name, value]) => [
      name,
      typeof value === "string" ? value : JSON.stringify(value),
    ]),
  );
}
