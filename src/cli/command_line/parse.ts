/** From words to a command with its arguments and options, or a usage error that says what is wrong. */
import { parseArgs } from "node:util";
import { nearest } from "../../core/did_you_mean.ts";
import { GridError } from "../../core/errors.ts";
import { quoteAll } from "../../core/shell.ts";
import type { Command } from "./command.ts";
import { HELP_OPTION, type Option, VERSION_OPTION, WordError } from "./option.ts";

export interface Parsed {
  readonly command: Command;
  /** In the order of the command's arguments; lists as lists. */
  readonly words: readonly unknown[];
  readonly flags: Readonly<Record<string, unknown>>;
  /** Where help or the version is asked for, it does not matter which arguments are given. */
  readonly wants: "run" | "help" | "version";
}

/** @throws {GridError} `usage` */
export function parseCommandLine(program: Command, args: readonly string[]): Parsed {
  const line = new Line(program);
  line.read(args);
  const { command, flags } = line;
  if (flags["help"]) return { command, words: [], flags: {}, wants: "help" };
  if (flags["version"]) return { command, words: [], flags, wants: "version" };
  for (const { key, details } of command.allOptions) {
    if (details.initial !== undefined) flags[key] ??= details.initial;
  }
  return { command, words: line.assignWords(), flags, wants: "run" };
}

class Line {
  readonly flags: Record<string, unknown> = {};
  readonly #words: string[] = [];

  constructor(public command: Command) {}

  /** The name of a command decides how what stands behind it is read. */
  read(args: readonly string[]): void {
    const known = [...this.command.allOptions, HELP_OPTION, VERSION_OPTION];
    const options = Object.fromEntries(known.map(({ name, form }) => [name, form]));
    // Not strict, which would refuse values that begin with a dash; and the words for faults are ours.
    const { tokens } = parseArgs({ args: [...args], options, strict: false, tokens: true });
    for (const token of tokens) {
      if (token.kind === "option") {
        const option = known.find(({ name }) => name === token.name);
        if (option === undefined) throw this.#unknown(args[token.index], known);
        this.flags[option.key] = this.#valueOf(option, token.value);
      } else if (token.kind === "positional") {
        const { children, run } = this.command;
        const isGroup = children.length > 0 && run === undefined;
        if (isGroup || children.some(({ name }) => name === token.value)) {
          this.#enter(token.value);
          return this.read(args.slice(token.index + 1));
        }
        this.#words.push(token.value);
      } else if (this.command.takesCommand && args.length > token.index + 2) {
        this.#words.push(quoteAll(args.slice(token.index + 1)));
        return;
      }
    }
  }

  #enter(word: string): void {
    const { children } = this.command;
    const child = children.find(({ name }) => name === word);
    if (child !== undefined) this.command = child;
    else if (word === "help") this.flags["help"] = true;
    else throw this.#wrong(`unknown command "${word}"`, nearest(word, children.map(nameOf)));
  }

  #valueOf(option: Option, word: string | undefined): unknown {
    const { long, valueName, details: { choices, read, initial } } = option;
    if (valueName === undefined && word === undefined) return true;
    if (valueName === undefined) {
      throw this.#wrong(`option ${long} takes no value, here is "${word}"`);
    }
    if (word === undefined) throw this.#wrong(`option ${long} needs <${valueName}>`);
    if (choices?.includes(word) === false) {
      const list = `option ${long} is one of ${choices.join(", ")}, not "${word}"`;
      throw this.#wrong(list, nearest(word, choices));
    }
    try {
      return read ? read(word, (this.flags[option.key] ?? initial) as never) : word;
    } catch (error) {
      if (!(error instanceof WordError)) throw error;
      throw this.#wrong(`option ${long} ${error.message}, here is "${word}"`);
    }
  }

  assignWords(): unknown[] {
    const rest = [...this.#words];
    const assigned = this.command.arguments.map(({ name, isRequired, isList, initial }) => {
      if (isRequired && rest.length === 0) throw this.#wrong(`<${name}> is missing`);
      return isList ? rest.splice(0) : rest.shift() ?? initial;
    });
    if (rest.length === 0) return assigned;
    const problem = `${rest.length === 1 ? "one word" : "words"} too many: ${rest.join(" ")}`;
    if (!this.command.takesCommand) throw this.#wrong(problem);
    throw this.#wrong(problem, `${this.command.path} -- ${quoteAll(this.#words)}`);
  }

  /** A group of short options is shown whole: one wrong letter can make all of it wrong. */
  #unknown(word = "", known: readonly Option[]): GridError {
    const name = word.replace(/^(--[^=]+)=.*$/s, "$1");
    return this.#wrong(`unknown option ${name}`, nearest(name, known.map(({ long }) => long)));
  }

  /** Like every usage error; the hint names the nearest word or the help. */
  #wrong(problem: string, near?: string): GridError {
    const help = `${this.command.path} --help shows what there is`;
    return new GridError({
      code: "usage",
      message: `Cannot read the command line: ${problem}`,
      hint: near === undefined ? help : `did you mean ${near}? ${help}`,
    });
  }
}

const nameOf = ({ name }: Command) => name;
