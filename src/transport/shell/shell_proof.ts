/** What answers on a channel proves that it is the shell that Grid asked for, and one that Grid works with. */

/**
 * Words for a login shell of any kind. The shell that they become, and no other, has the word as its
 * first argument: a start-up file may have put another program in the way, which reads Grid's commands.
 */
export function shellCommand(word: string): string {
  return `exec /bin/sh -s ${word}`;
}

/** Makes a shell say its word, and what kind of shell it is where it has a name for that. */
export const PROOF_COMMAND = [
  'printf "%s\\n" "$#:${1-}"',
  'printf "%s " ${BASH_VERSION:+bash} ${ZSH_VERSION:+zsh} ${KSH_VERSION:+ksh} ${YASH_VERSION:+yash}',
].join("; ");

/** Why what answered is of no use; the hint is a whole sentence. */
export interface ShellFault {
  readonly state: string;
  readonly hint: string;
}

/** @param answer what `PROOF_COMMAND` printed */
export function shellFault(
  answer: string,
  { word, node }: { readonly word: string; readonly node: string },
): ShellFault | undefined {
  const [proof, kinds = ""] = answer.split("\n");
  if (proof !== `1:${word}`) {
    return {
      state: "another program answers in place of its /bin/sh",
      hint: "a start-up file of the account (such as ~/.bashrc, ~/.profile, ~/.zshenv) starts " +
        "another shell: let it do so only where somebody types, [ -t 0 ] && exec zsh; " +
        `ssh ${node} 'echo $0'`,
    };
  }
  const refused = kinds.trim().split(" ").find((kind) => Object.hasOwn(REFUSED, kind));
  if (refused === undefined) return undefined;
  return {
    state: `its /bin/sh is ${REFUSED[refused]}, with which Grid does not work`,
    hint: "Grid works with dash, bash and busybox ash: make /bin/sh one of these, as root: " +
      "ln -sf dash /bin/sh",
  };
}

/** Those in which signals, traps and pipes are too different: jobs would lose output or their end. */
const REFUSED: Readonly<Record<string, string>> = {
  ksh: "a Korn shell (mksh or ksh)",
  yash: "yash",
  zsh: "zsh",
};
