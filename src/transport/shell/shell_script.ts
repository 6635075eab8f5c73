/** The text sent to a long-lived shell for one command, and how its answer is read. */
import { GridError } from "../../core/errors.ts";
import { quote } from "../../core/shell.ts";
import { type FrameOutput, MARK } from "./shell_frame.ts";

const encoder = new TextEncoder();

export interface ScriptOptions {
  /** Random; stands in the markers. */
  readonly word: string;
  readonly stdin: string | Uint8Array | undefined;
  /** Nothing of stderr comes back, not even a marker. */
  readonly dropsStderr?: boolean | undefined;
}

/** In a subshell, so that `exit`, `cd` and variables end with the command. */
export function framedScript(
  command: string,
  { word, stdin, dropsStderr = false }: ScriptOptions,
): string {
  const body = `( eval ${quote(command)} )${dropsStderr ? " 2>/dev/null" : ""}`;
  const fed = stdin === undefined || stdin.length === 0
    ? `${body} </dev/null`
    : `{ ${printed(stdin)}; } | ${body}`;
  const onStderr = (marker: string) => dropsStderr ? "" : `; printf '${marker}' >&2`;
  return `printf '\\036<${word}\\036'${onStderr(`\\036<${word}\\036`)}\n` +
    `${fed}\n` +
    `printf '\\036>${word}\\036%d\\036' "$?"${onStderr(`\\036>${word}\\036\\036`)}\n`;
}

/**
 * A function of ours with words as `quote` writes them, behind the names of what the shell must do without, as the
 * local transport has it. Anything else could change the shell for all after it.
 */
const OWN_CALL =
  /^(?:unset -v [\w ]+; grid_unset='[\w ]+'\n)?grid_\w+(?: (?:[\w@%+=:,./~-]|'[^']*'|\\')+)*$/;

/**
 * In the shell itself, which says what the command has left in `grid_answer`.
 *
 * @throws {GridError} `bug` for what is more than the call of a function of ours
 */
export function answeringScript(command: string, word: string): string {
  if (!OWN_CALL.test(command)) {
    const call = command.length > 80 ? `${command.slice(0, 80)}…` : command;
    throw new GridError({ code: "bug", message: `"${call}" is no call that leaves an answer` });
  }
  return `grid_answer=\n${command}\n` +
    `printf '\\036<${word}\\036%s\\036>${word}\\036%d\\036' "$grid_answer" "$?"\n`;
}

/**
 * In the shell itself, with the shell's own stdin. Read as a whole before any of it runs, so that what is
 * sent later is the command's to read.
 */
export function waitingScript(command: string, word: string): string {
  return `{ printf '\\036<${word}\\036'\n${command}\n` +
    `printf '\\036>${word}\\036%d\\036' "$?"; }\n`;
}

export function frameMarkers(word: string): { start: Uint8Array; end: Uint8Array } {
  const mark = String.fromCharCode(MARK);
  return {
    start: encoder.encode(`${mark}<${word}${mark}`),
    end: encoder.encode(`${mark}>${word}${mark}`),
  };
}

/** Characters per `printf`, a builtin: what it prints stands on no command line. */
const PRINTED_CHARACTERS = 32_768;

/** Shell text that prints exactly `data`, NUL and broken UTF-8 included. */
function printed(data: string | Uint8Array): string {
  if (typeof data === "string" && !data.includes("\0")) return printedText(data);
  const bytes = typeof data === "string" ? encoder.encode(data) : data;
  let escaped = "";
  for (const byte of bytes) {
    const plain = byte >= 0x20 && byte < 0x7f && byte !== 0x27 && byte !== 0x5c;
    escaped += plain ? String.fromCharCode(byte) : `\\0${byte.toString(8).padStart(3, "0")}`;
  }
  // Every escape is five characters long and must not be cut.
  return pieces(escaped, /\\0\d{3}|[^\\]/g).map((piece) => `printf %b '${piece}'`).join("; ");
}

function printedText(text: string): string {
  return pieces(text, /[^]/gu).map((piece) => `printf %s ${quote(piece)}`).join("; ");
}

function pieces(text: string, unit: RegExp): string[] {
  if (text.length <= PRINTED_CHARACTERS) return [text];
  const found: string[] = [];
  let piece = "";
  for (const [part] of text.matchAll(unit)) {
    if (piece.length + part.length > PRINTED_CHARACTERS) {
      found.push(piece);
      piece = "";
    }
    piece += part;
  }
  return [...found, piece];
}

export function decodeOutput(output: FrameOutput, encoding: "utf-8" | "latin1"): string {
  const text = encoding === "latin1"
    ? latin1(output.bytes)
    : new TextDecoder("utf-8", { ignoreBOM: true }).decode(output.bytes);
  return output.dropped === 0 ? text : `${text}\n… ${output.dropped} more bytes were dropped\n`;
}

/** `TextDecoder("latin1")` is windows-1252, which changes 0x80 to 0x9f. */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 8192) {
    text += String.fromCharCode(...bytes.subarray(at, at + 8192));
  }
  return text;
}
