/** The program that a script starts first, where that can be told for certain. */

/** Words that a shell knows without looking for a program, in bash or in sh. */
const SHELL_WORDS = new Set(
  (". : [ [[ ! { alias bg bind break builtin caller case cd command compgen complete compopt " +
    "continue coproc declare dirs disown do done echo elif else enable esac eval exec exit export " +
    "false fc fg fi for function getopts hash help history if in jobs kill let local logout mapfile " +
    "popd printf pushd pwd read readarray readonly return select set shift shopt source suspend " +
    "test then time times trap true type typeset ulimit umask unalias unset until wait while")
    .split(" "),
);

/** Blank lines and remarks, then one plain word, then what may follow a word of a command. */
const FIRST_WORD = /^(?:\s|#[^\n]*\n)*([A-Za-z0-9_.\/][A-Za-z0-9_.\/+-]*)(?=[\s;&|<>]|$)/;

/**
 * The first word of a script's first command. Undefined where it is no plain word, a word of the
 * shell, or where the script minds that the command may not be there.
 *
 * @param script with anything that is not known yet written as a NUL
 */
export function firstCommand(script: string): string | undefined {
  const match = FIRST_WORD.exec(script);
  const word = match?.[1];
  if (match === null || word === undefined || SHELL_WORDS.has(word)) return undefined;
  const rest = script.slice(match[0].length).split("\n")[0] ?? "";
  // A function's definition, or a command whose failure is expected.
  if (/^\s*\(/.test(rest) || rest.includes("||")) return undefined;
  return word;
}
