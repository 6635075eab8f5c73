import type { Hole } from "./hole.ts";
import { takesNames, UNKNOWN } from "./second_reader.ts";

/** Words after which a command begins, where they begin one themselves. */
const LEADERS = new Set(
  ["if", "then", "elif", "else", "fi", "while", "until", "do", "done", "!", "{", "}", "time"],
);
const ASSIGNMENT = /^[A-Za-z_]\w*(\[.*\])?\+?=/s;
/** Operators of `[[ … ]]` that evaluate the texts beside them as arithmetic. */
const COUNTING = new Set(["-eq", "-ne", "-lt", "-le", "-gt", "-ge"]);

/** Follows the words of one simple command at a time. */
export class Command {
  /** Words that have ended, without assignments before them and without targets of redirections. */
  words: string[] = [];
  /** The word that has begun, without its quotes. */
  word: string | undefined;
  /** Quotes in a word take away what it would mean to the shell. */
  #isQuoted = false;
  /** Something of the command has been seen, so that its next word is no reserved one. */
  #isStarted = false;
  /** The next word belongs to `<` or `>`, to `<<<`, or to `<<`. */
  target: "" | "file" | "text" | "end" = "";
  /** Inside `[[ … ]]`. */
  isTest = false;
  #counts = false;
  #clause: Hole[] = [];

  add(text: string): void {
    this.word = (this.word ?? "") + text;
  }

  quote(): void {
    this.#isQuoted = true;
    this.add("");
  }

  get isFirst(): boolean {
    return !this.#isStarted && this.words.length === 0;
  }

  /** Whether its next word may be the name of a variable. */
  get takesName(): boolean {
    return this.target === "" && takesNames(this.words);
  }

  /** The word is an assignment, or would be one for a command that takes them as arguments. */
  get assigns(): boolean {
    return this.takesName && ASSIGNMENT.test(this.word ?? "");
  }

  /** Ends the word; gives it back where it is a reserved word at the start of a command. */
  endWord(): string | undefined {
    const { word, isFirst } = this;
    const isQuoted = this.#isQuoted;
    const isPrefix = this.words.length === 0 && this.assigns;
    this.word = undefined;
    this.#isQuoted = false;
    if (word === undefined) return undefined;
    if (this.target !== "") {
      this.target = "";
      return undefined;
    }
    if (this.isTest) this.#endTestWord(word);
    if (isFirst && !isQuoted && LEADERS.has(word)) return word;
    this.#isStarted = true;
    if (isPrefix) return undefined;
    this.words.push(word);
    if (word === "[[" && isFirst && !isQuoted) this.isTest = true;
    // A body may begin on the line of its head.
    const isHead = this.words.length === 3 &&
      /^(function \S+ \{|for \S+ do)$/.test(this.words.join(" "));
    if (isHead) this.#reset();
    return isFirst && !isQuoted ? word : undefined;
  }

  endCommand(): void {
    this.endWord();
    this.#reset();
  }

  redirect(target: "file" | "text"): void {
    // The number of a file is no word.
    if (/^\d+$/.test(this.word ?? "")) this.word = undefined;
    this.endWord();
    this.#isStarted = true;
    this.target = target;
  }

  /** A value in a test is a number where its clause counts, which may be seen only after it. */
  addToClause(hole: Hole): void {
    if (this.#counts) hole.kind = "number";
    else this.#clause.push(hole);
  }

  endClause(): void {
    this.#clause = [];
    this.#counts = false;
  }

  #endTestWord(word: string): void {
    if (word === "]]") {
      this.isTest = false;
      this.endClause();
    } else if (COUNTING.has(word)) {
      this.#counts = true;
      for (const hole of this.#clause) hole.kind = "number";
    }
  }

  #reset(): void {
    this.words = [];
    this.target = "";
    this.#isStarted = false;
  }
}

/** Marks a part of a word that only the shell knows. */
export function addUnknown(command: Command | undefined): void {
  command?.add(UNKNOWN);
}
