import { GridError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import { quote } from "../core/shell.ts";
import { describeValue, toShellItems, toText } from "../expression/cel_value.ts";
import type { Hole } from "./hole.ts";
import { isHarmless } from "./refusal.ts";

/**
 * A value as it must be written to stay one piece of data where it stands.
 *
 * @throws {GridError} `step-failed` where no writing can keep it whole
 */
export function writeValue(value: JsonValue, hole: Hole): string {
  const text = toText(value);
  if (hole.refusal) {
    if (hole.refusal.takesHarmless && isHarmless(text)) return text;
    throw refused(hole.refusal);
  }
  if (text.includes("\0")) throw refused({ message: "a shell cannot take a NUL character" });
  if (hole.heredocs.some(({ dropsTabs }) => dropsTabs) && /(^|\n)\t/.test(text)) {
    throw refused({
      message: "a here-document with <<- would take away the tabs of the value",
      hint: "write << without the dash",
    });
  }
  if (hole.kind !== "heredoc" && hole.heredocs.some(({ isRaw }) => !isRaw) && /\\\n/.test(text)) {
    throw refused({
      message: "a here-document would take away a backslash at the end of a line of the value",
      hint: "pass it by env:",
    });
  }
  let written = write(value, hole);
  for (let level = 0; level < hole.backticks; level++) {
    written = written.replaceAll(/[\\$`]/g, "\\$&");
  }
  return written;
}

function write(value: JsonValue, hole: Hole): string {
  const text = toText(value);
  switch (hole.kind) {
    case "plain":
      if (hole.isRange && /^(-?\d+|[A-Za-z])$/.test(text)) return text;
      return (hole.splits ? toShellItems(value) : [text])
        .map((word) => hole.isBare && quote(word) === word ? word : alwaysQuote(word))
        .join(" ");
    case "single":
      return escapeSingle(text);
    case "double":
      return (hole.isAfterName ? '""' : "") + escapeDouble(text);
    case "nested":
      return `"${escapeNested(text)}"`;
    case "reopened":
      return `""${escapeNested(text)}""`;
    case "ansi":
      return `'${alwaysQuote(text)}$'`;
    case "comment":
      return text.replaceAll(/[\r\n]/g, " ");
    case "heredoc":
      return hole.heredocs.at(-1)?.isRaw ? text : text.replaceAll(/[\\$`]/g, "\\$&");
    case "number":
      return wholeNumber(text, value);
  }
}

function escapeDouble(text: string): string {
  return text.replaceAll(/["\\$`]/g, "\\$&");
}

/** bash 5.2 takes `>(` for its own there, even in quotes. */
function escapeNested(text: string): string {
  return escapeDouble(text).replaceAll(/[<>](?=\()/g, '$&""');
}

/** Even a harmless word may be a reserved one, an assignment, or the number of a file. */
function alwaysQuote(word: string): string {
  return `'${escapeSingle(word)}'`;
}

/** Not `'\\''`, which bash 5.2 misreads in an array inside of `$( )`. */
function escapeSingle(text: string): string {
  return text.replaceAll("'", `'"'"'`);
}

/** A zero in front would make it octal. */
function wholeNumber(text: string, value: JsonValue): string {
  if (/^[-+]?(0|[1-9]\d*)$/.test(text)) return text;
  throw refused({
    message: `the shell calculates here, and ${describeValue(value)} is not a whole number`,
    hint: "bash runs commands in what it calculates with; give a number, or write int(…)",
  });
}

export function refused(
  { message, hint }: { readonly message: string; readonly hint?: string },
): GridError {
  return new GridError({
    code: "step-failed",
    message: `Cannot write the script: ${message}`,
    hint,
  });
}
