/** Why no value can be written at some place of a script, in words for its author. */
export interface Refusal {
  readonly message: string;
  readonly hint: string;
  /** A value that means itself to every shell, such as a number, may stand there. */
  readonly takesHarmless?: true;
}

/** Nothing in it means anything to a shell, however often it is read. */
export function isHarmless(text: string): boolean {
  return /^(?:[A-Za-z0-9_.\/][A-Za-z0-9_.:@%+,\/-]*|-\d+(?:\.\d+)?)$/.test(text);
}

const PASS_BY_ENV = 'pass it by env: and write "$NAME" here';

export const REFUSALS = {
  backslash: {
    message: "a value cannot stand right after a backslash: the shell would take it apart",
    hint: "remove the backslash; Grid quotes values by itself",
  },
  dollar: {
    message: "a value cannot stand right after $: the shell would read it as a name",
    hint: "remove the $, or write \\$ for the sign itself",
  },
  afterName: {
    message: "a value cannot stand right after a variable here: its letters would join the name",
    hint: "write the variable in braces: ${NAME}",
  },
  name: {
    message: "a value cannot be the name of a shell variable: bash runs commands in such a name",
    hint: "choose the name in the script, with case or if",
  },
  expansion: {
    message: "a value cannot stand inside this kind of ${…}: its quotes would not be taken away",
    hint: PASS_BY_ENV,
  },
  heredocExpansion: {
    message: "a value cannot stand inside ${…} or backticks of a here-document",
    hint: PASS_BY_ENV,
  },
  heredocEnd: {
    message: "a value cannot be part of the word that ends a here-document",
    hint: "write the word out",
  },
  backticks: {
    message: "a value cannot stand in backticks that are inside ${…} or arithmetic",
    hint: "write $(…) instead of the backticks",
  },
  lost: {
    message: "a value cannot be quoted here: shells do not agree on the quoting before it",
    hint: PASS_BY_ENV,
  },
  unclosed: {
    message: "a value cannot be quoted in a script that ends inside of something it has opened",
    hint: "close every quote, parenthesis, case and here-document",
  },
  secondShell: {
    message: "a value cannot stand in a script for another shell, which reads it as code",
    hint: `pass it by env: and write "$NAME" in single quotes: sh -c 'echo "$NAME"'`,
    takesHarmless: true,
  },
  eval: {
    message: "a value cannot stand in words that the shell reads again as code",
    hint: `pass it by env: and write "$NAME" in single quotes, as in 'echo "$NAME"'`,
    takesHarmless: true,
  },
  ssh: {
    message: "a value cannot stand in a command for ssh: the shell over there reads it as code",
    hint: "use a step with node:, or send the value over stdin: printf %s … | ssh host 'cat'",
    takesHarmless: true,
  },
} as const satisfies Readonly<Record<string, Refusal>>;
