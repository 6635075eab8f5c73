/** Words for the account's login shell, which may be anything from dash to fish. */
import { quote } from "../../core/shell.ts";

/** In the environment of everything that a channel's command starts. */
const MARKER = "GRID_CHANNEL";

/** Characters that mean the same to every shell between single quotes; csh trips over the others. */
const SAME_EVERYWHERE = /^[^\n\r!\\]*$/;

/**
 * Runs `command` with POSIX `sh`, findable by `word`.
 *
 * @throws {GridError} `usage` if the command contains NUL
 */
export function loginCommand(command: string, word: string): string {
  const shell = `exec env ${MARKER}=${word} /bin/sh -c`;
  if (SAME_EVERYWHERE.test(quote(command))) return `${shell} ${quote(command)}`;
  // No backslash, which xonsh would take for its own: `tr` makes one of the sign that stands for it.
  return `${shell} 'eval "$(printf %b "$(printf %s "$0" | LC_ALL=C tr "{}@" Z-a)")"' ` +
    `'${escaped(command)}'`;
}

/** Ends what such a command left running, whatever session it has moved to. Linux only. */
export function endCommand(word: string): string {
  return `grep -lzx ${MARKER}=${word} /proc/[0-9]*/environ 2>/dev/null | ` +
    'while IFS=/ read -r _ _ pid _; do kill -s KILL "$pid" 2>/dev/null; done; :';
}

/** Every byte that is not a letter, digit or plain mark as `@0ooo`; with `\` for `@`, `printf %b` reads it. */
function escaped(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => {
    const char = String.fromCharCode(byte);
    return /[\w ./:,=%+-]/.test(char) ? char : `@0${byte.toString(8).padStart(3, "0")}`;
  }).join("");
}
