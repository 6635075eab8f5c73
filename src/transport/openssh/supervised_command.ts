/**
 * `ssh` ends with 255 for its own failures, for a command that does so too, and for one that a
 * signal ended. So a small shell beside the command says on stderr when it starts and how it ends.
 */
import { quote } from "../../core/shell.ts";
import { loginCommand } from "../ssh/login_command.ts";

/**
 * Words for the account's login shell. Around what the command itself prints on stderr stand the
 * lines `<word> start`, and `<word> code N` or `<word> signal NAME`; then ssh ends with 0.
 *
 * @throws {GridError} `usage` if the command contains NUL
 */
export function supervisedCommand(command: string, word: string): string {
  return loginCommand(
    [
      `echo ${word} start >&2`,
      "exec 3>&2 4>&1",
      // A shell reports a signal as 128 + number, as a command may too; but then it also says so,
      // interrupts and broken pipes excepted.
      `{ ( exec /bin/sh -c ${quote(command)} 2>&3 >&4 3>&- 4>&- ); echo "$?"; } 2>&1 |`,
      "{ code= said=",
      'while read -r line; do said=$code code=$line; done; how="code $code"',
      '[ -z "$said" ] || [ "$code" -le 128 ] || how="signal $(kill -l $((code - 128)))"',
      `echo ${word} $how >&3; }`,
      "exit 0",
    ].join("\n"),
    word,
  );
}
