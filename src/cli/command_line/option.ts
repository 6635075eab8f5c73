/** Thrown by a reader: what is wrong with the word, to be said after the name of its option. */
export class WordError extends Error {}

export interface OptionDetails {
  /** Turns the word after an option into a value; `before` is what an earlier one of the same made. */
  readonly read?: ((word: string, before: never) => unknown) | undefined;
  /** The only words that may follow. */
  readonly choices?: readonly string[] | undefined;
  /** The value where the option is not given. */
  readonly initial?: unknown;
}

/** `-n, --limit <n>`: a short form, the long one, and the name of the word that follows. */
const FLAGS = /^(?:-([A-Za-z]), )?--([a-z-]+)(?: <([^>]+)>)?$/;

/** One option as its flags say it: `--quiet`, `--config <file>`, `-i, --input <name=value>`. */
export class Option {
  readonly name: string;
  /** What has to follow; undefined for a switch. */
  readonly valueName: string | undefined;
  /** `max-parallel` is `maxParallel` among the values. */
  readonly key: string;
  /** As `parseArgs` wants to be told of it. */
  readonly form: { readonly type: "string" | "boolean"; readonly short?: string };

  constructor(
    readonly flags: string,
    readonly summary: string,
    readonly details: OptionDetails = {},
  ) {
    const [, short, name, valueName] = FLAGS.exec(flags) ?? [];
    if (name === undefined) throw new Error(`cannot read the flags "${flags}"`);
    this.name = name;
    this.valueName = valueName;
    this.key = name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
    this.form = { type: valueName ? "string" : "boolean", ...(short && { short }) };
  }

  get long(): string {
    return `--${this.name}`;
  }
}

export const HELP_OPTION = new Option("-h, --help", "print this");
export const VERSION_OPTION = new Option(
  "--version",
  "print the version, commit, Deno and install folder",
);
