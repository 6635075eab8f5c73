/** From words to a command with its arguments and options, or a usage error that says what is wrong. */
import { nearest } from "../../core/did_you_mean.ts";
import { GridError } from "../../core/errors.ts";
import type { Command } from "./command.ts";
import { type Option, WordError } from "./option.ts";

export interface Parsed {
  readonly command: Command;
  /** In the order of the command's arguments; lists as lists. */
  readonly words: readonly unknown[];
  readonly flags: Readonly<Record<string, unknown>>;
  /** Where help or the version is asked for, nothing else is checked. */
  readonly wants: "run" | "help" | "version";
}

/** @throws {GridError} `usage` */
export function parseCommandLine(program: Command, args: readonly string[]): Parsed {
  return new Parser(program, args).parse();
}

class Parser {
  #command: Command;
  readonly #rest: string[];
  readonly #words: string[] = [];
  readonly #flags: Record<string, unknown> = {};
  #wants: Parsed["wants"] = "run";

  constructor(program: Command, args: readonly string[]) {
    this.#command = program;
    this.#rest = [...args];
  }

  parse(): Parsed {
    for (let word = this.#rest.shift(); word !== undefined; word = this.#rest.shift()) {
      if (word === "--") this.#words.push(...this.#rest.splice(0));
      else if (/^-./.test(word)) this.#option(word);
      else this.#word(word);
    }
    const command = this.#command;
    if (this.#wants !== "run") return { command, words: [], flags: {}, wants: this.#wants };
    const words = assignWords(command, this.#words);
    for (const { key, details } of command.allOptions) {
      if (details.initial !== undefined) this.#flags[key] ??= details.initial;
    }
    return { command, words, flags: this.#flags, wants: "run" };
  }

  #word(word: string): void {
    const { children } = this.#command;
    if (children.length === 0) {
      this.#words.push(word);
      return;
    }
    const child = children.find(({ name }) => name === word);
    if (child !== undefined) this.#command = child;
    else if (word === "help") this.#wants = "help";
    else {
      const names = children.map(({ name }) => name);
      throw usage(`unknown command "${word}"`, this.#command, nearest(word, names));
    }
  }

  /** `--flag`, `--name value`, `--name=value`, `-n value`, `-nvalue`. */
  #option(word: string): void {
    const [, name = word, attached] = /^(--[^=]+)=(.*)$/s.exec(word) ??
      /^(-[A-Za-z])(.+)$/s.exec(word) ?? [];
    if (name === "--help" || name === "-h") {
      this.#wants = "help";
      return;
    }
    if (name === "--version") {
      this.#wants = "version";
      return;
    }
    const option = this.#command.allOptions.find(({ long, short }) =>
      long === name || short === name
    );
    if (option === undefined) {
      const known = this.#command.allOptions.map(({ long }) => long);
      throw usage(`unknown option ${name}`, this.#command, nearest(name, known));
    }
    this.#flags[option.key] = option.valueName === undefined
      ? this.#switch(option, attached)
      : this.#value(option, attached ?? this.#rest.shift());
  }

  #switch({ long }: Option, attached: string | undefined): true {
    if (attached === undefined) return true;
    throw usage(`option ${long} takes no value, here is "${attached}"`, this.#command);
  }

  #value(option: Option, word: string | undefined): unknown {
    const { long, valueName, details: { choices, read, initial } } = option;
    if (word === undefined) throw usage(`option ${long} needs <${valueName}>`, this.#command);
    if (choices?.includes(word) === false) {
      const near = nearest(word, choices);
      const list = `option ${long} is one of ${choices.join(", ")}, not "${word}"`;
      throw usage(list, this.#command, near);
    }
    if (read === undefined) return word;
    try {
      return read(word, (this.#flags[option.key] ?? initial) as never);
    } catch (error) {
      if (!(error instanceof WordError)) throw error;
      throw usage(`option ${long} ${error.message}, here is "${word}"`, this.#command);
    }
  }
}

function assignWords(command: Command, words: readonly string[]): unknown[] {
  const rest = [...words];
  const assigned = command.arguments.map(({ name, isRequired, isList, initial }) => {
    if (isRequired && rest.length === 0) throw usage(`<${name}> is missing`, command);
    return isList ? rest.splice(0) : rest.shift() ?? initial;
  });
  if (rest.length > 0) {
    throw usage(`${rest.length === 1 ? "one word" : "words"} too many: ${rest.join(" ")}`, command);
  }
  return assigned;
}

/** Like every usage error; the hint names the nearest word or the help. */
function usage(problem: string, command: Command, near?: string): GridError {
  return new GridError({
    code: "usage",
    message: `Cannot read the command line: ${problem}`,
    hint: near === undefined
      ? `${command.path} --help shows what there is`
      : `did you mean ${near}? ${command.path} --help shows what there is`,
  });
}
