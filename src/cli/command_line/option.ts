/** Thrown by a reader: what is wrong with the word, to be said after the name of its option. */
export class WordError extends Error {}

/** Turns the word after an option into a value; `before` is what an earlier one of the same made. */
export type ReadValue = (word: string, before: never) => unknown;

export interface OptionDetails {
  readonly read?: ReadValue | undefined;
  /** The only words that may follow. */
  readonly choices?: readonly string[] | undefined;
  /** The value where the option is not given. */
  readonly initial?: unknown;
}

/** `-n, --limit <n>`: a short form, the long one, and the name of the word that follows. */
const FLAGS = /^(?:(-[A-Za-z]), )?--([a-z-]+)(?: <([^>]+)>)?$/;

/** One option as its flags say it: `--quiet`, `--config <file>`, `-i, --input <name=value>`. */
export class Option {
  readonly short: string | undefined;
  readonly long: string;
  /** What has to follow; undefined for a switch. */
  readonly valueName: string | undefined;
  /** `max-parallel` is `maxParallel` among the values. */
  readonly key: string;

  constructor(
    readonly flags: string,
    readonly summary: string,
    readonly details: OptionDetails = {},
  ) {
    const [, short, long, valueName] = FLAGS.exec(flags) ?? [];
    if (long === undefined) throw new Error(`cannot read the flags "${flags}"`);
    this.short = short;
    this.long = `--${long}`;
    this.valueName = valueName;
    this.key = long.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
  }

  /** The summary with what may follow, and what counts where nothing does. */
  get explanation(): string {
    const { choices, initial } = this.details;
    const isTelling = typeof initial === "string" || typeof initial === "number";
    const notes = [
      ...(choices ? [choices.join(", ")] : []),
      ...(isTelling ? [`default ${initial}`] : []),
    ];
    return notes.length === 0 ? this.summary : `${this.summary} (${notes.join("; ")})`;
  }
}
