/** What command lines may say: `parse.ts` reads by it, `help.ts` explains it. */
import { Option, type OptionDetails } from "./option.ts";

/** `<files...>` gives a list, `<run>` a word, `[run]` a word or nothing. */
type ArgumentOf<Form extends string> = Form extends `${string}...${string}` ? string[]
  : Form extends `<${string}` ? string
  : string | undefined;

export interface Argument {
  /** As help shows it: `<files...>`. */
  readonly form: string;
  readonly name: string;
  readonly isRequired: boolean;
  readonly isList: boolean;
  readonly summary: string;
  readonly initial: string | undefined;
}

/** One of a small tree; `Words` are the types of its arguments. */
export class Command<Words extends unknown[] = []> {
  readonly arguments: Argument[] = [];
  readonly options: Option[] = [];
  readonly children: Command[] = [];
  /** Called with the arguments in order, then the values of all options. */
  run: ((...words: unknown[]) => void | Promise<void>) | undefined;
  /** Several words behind `--` are the words of one shell command, its single argument. */
  takesCommand = false;
  /** What stands below the help. */
  closing: string | undefined;

  constructor(readonly name: string, readonly summary: string, readonly parent?: Command) {}

  /** `grid cluster start` */
  get path(): string {
    return this.parent === undefined ? this.name : `${this.parent.path} ${this.name}`;
  }

  /** Own options, then those of the commands above. */
  get allOptions(): readonly Option[] {
    return [...this.options, ...this.parent?.allOptions ?? []];
  }

  command(name: string, summary: string): Command {
    const child = new Command(name, summary, this as unknown as Command);
    this.children.push(child);
    return child;
  }

  argument<Form extends string>(form: Form, summary: string): Command<[...Words, ArgumentOf<Form>]>;
  argument(form: string, summary: string, initial: string): Command<[...Words, string]>;
  argument(form: string, summary: string, initial?: string): unknown {
    const name = form.replaceAll(/[<>[\].]/g, "");
    const [isRequired, isList] = [form.startsWith("<"), form.includes("...")];
    this.arguments.push({ form, name, isRequired, isList, summary, initial });
    return this;
  }

  option(flags: string, summary: string, details?: OptionDetails): this {
    this.options.push(new Option(flags, summary, details));
    return this;
  }

  close(words: string): this {
    this.closing = words;
    return this;
  }

  /** `Flags` is what the options of this command and of all commands make together. */
  action<Flags>(run: (...words: [...Words, flags: Flags]) => void | Promise<void>): void {
    this.run = run as unknown as typeof this.run;
  }
}
