/**
 * Values inside a shell script. A value must stay one piece of data wherever it stands: bare, in
 * quotes of either kind, in a here-document or in a comment; so what is around it is followed.
 * Rules of POSIX.1-2017, Shell Command Language, 2.2 (quoting) and 2.7.4 (here-documents).
 */
import { GridError } from "../core/errors.ts";
import { quote } from "../core/shell.ts";

type Context =
  | { readonly kind: "plain" | "single" | "double" | "comment" | "paren" }
  | { readonly kind: "heredoc"; readonly end: string; readonly isRaw: boolean };

const HEREDOC = /^<<-?[ \t]*(?:'([^'\n]+)'|"([^"\n]+)"|\\?([A-Za-z0-9_.-]+))/;

/** Follows the literal parts of a script and writes values to fit where they stand. */
export class ShellSplicer {
  #stack: Context[] = [{ kind: "plain" }];
  /** Here-documents whose bodies begin at the next line break. */
  #pending: Extract<Context, { kind: "heredoc" }>[] = [];
  #before = "";
  /** The last literal ended with a backslash, which would take the first character of a value. */
  #isEscaped = false;

  /** Text of the script itself. */
  literal(text: string): string {
    let at = 0;
    while (at < text.length) at += this.#step(text, at);
    this.#isEscaped = at > text.length;
    return text;
  }

  /**
   * A value as it must be written here.
   *
   * @param words the quoted words for a bare place; several for a list
   * @throws {GridError} `usage` where no writing can keep the value whole
   */
  value(text: string, words: string = quote(text)): string {
    if (this.#isEscaped) throw afterBackslash();
    this.#before = "x";
    const context = this.#top;
    switch (context.kind) {
      case "plain":
      case "paren":
        return words;
      case "single":
        return text.replaceAll("'", `'\\''`);
      case "double":
        return text.replaceAll(/["\\$`]/g, "\\$&");
      case "comment":
        return text.replaceAll(/[\r\n]/g, " ");
      case "heredoc":
        return context.isRaw ? rawValue(text, context.end) : text.replaceAll(/[\\$`]/g, "\\$&");
    }
  }

  get #top(): Context {
    return this.#stack.at(-1) ?? { kind: "plain" };
  }

  /** Takes one construct of the script; returns how many characters it has. */
  #step(text: string, at: number): number {
    const context = this.#top;
    const char = text.charAt(at);
    const before = this.#before;
    this.#before = char;
    switch (context.kind) {
      case "single":
        if (char === "'") this.#stack.pop();
        return 1;
      case "comment":
        if (char === "\n") this.#endLine();
        return 1;
      case "double":
        return this.#inDouble(text, at);
      case "heredoc":
        return this.#inHeredoc(text, { at, isLineStart: before === "\n", end: context.end });
      case "plain":
      case "paren":
        return this.#inPlain(text, { at, before });
    }
  }

  #inDouble(text: string, at: number): number {
    const char = text.charAt(at);
    if (char === "\\") return 2;
    if (char === '"') this.#stack.pop();
    if (text.startsWith("$(", at)) {
      this.#stack.push({ kind: "paren" });
      return 2;
    }
    return 1;
  }

  #inPlain(text: string, { at, before }: { readonly at: number; readonly before: string }): number {
    const char = text.charAt(at);
    const heredoc = text.startsWith("<<<", at) ? undefined : HEREDOC.exec(text.slice(at, at + 200));
    if (heredoc) {
      const [whole, single, double, bare = ""] = heredoc;
      const isRaw = single !== undefined || double !== undefined || whole.includes("\\");
      this.#pending.push({ kind: "heredoc", end: single ?? double ?? bare, isRaw });
      return whole.length;
    }
    switch (char) {
      case "\\":
        return 2;
      case "'":
        this.#stack.push({ kind: "single" });
        return 1;
      case '"':
        this.#stack.push({ kind: "double" });
        return 1;
      case "(":
        this.#stack.push({ kind: "paren" });
        return 1;
      case ")":
        if (this.#top.kind === "paren") this.#stack.pop();
        return 1;
      case "#":
        if (before === "" || /[\s;&|(]/.test(before)) this.#stack.push({ kind: "comment" });
        return 1;
      case "\n":
        this.#openHeredocs();
        return 1;
      case "<":
        return text.startsWith("<<<", at) ? 3 : 1;
      default:
        return 1;
    }
  }

  #inHeredoc(
    text: string,
    { at, isLineStart, end }: {
      readonly at: number;
      readonly isLineStart: boolean;
      readonly end: string;
    },
  ): number {
    if (!isLineStart) return 1;
    const line = /^\t*([^\n]*)\n?/.exec(text.slice(at));
    if (line?.[1] !== end) return 1;
    this.#stack.pop();
    this.#before = "\n";
    return line[0].length;
  }

  #endLine(): void {
    this.#stack.pop();
    this.#openHeredocs();
  }

  #openHeredocs(): void {
    this.#stack.push(...this.#pending.reverse());
    this.#pending = [];
  }
}

function afterBackslash(): GridError {
  return new GridError({
    code: "usage",
    message: "Cannot put a value right after a backslash: the shell would take it apart",
    hint: "remove the backslash; Grid quotes values by itself",
  });
}

/** Inside a here-document with a quoted end nothing can be escaped; only its end must not appear. */
function rawValue(text: string, end: string): string {
  if (!text.split("\n").some((line) => line.trim() === end)) return text;
  throw new GridError({
    code: "usage",
    message: `Cannot put a value into a here-document: it holds the line ${end} that ends it`,
    hint: "pass the value by env: and write it with printf",
  });
}
