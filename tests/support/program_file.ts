import assert from "node:assert/strict";

const WRITE = 'printf %s "$1" >"$0" && chmod 755 "$0"';

/**
 * Writes a program that a test starts. Another process writes it: a process that this one forks at the moment
 * of writing, for another test, would hold the open file until it executes something, and nobody could start
 * the program before ("Text file busy").
 */
export function writeProgram(path: string, text: string): void {
  const { success, stderr } = new Deno.Command("sh", { args: ["-c", WRITE, path, text] })
    .outputSync();
  assert.ok(success, new TextDecoder().decode(stderr));
}
