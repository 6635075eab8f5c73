import type { YAMLError } from "./yaml.ts";
import type { Lines, Spot } from "../lines.ts";
import type { Repair, RepairedText } from "./repair.ts";
import { Lexer } from "./yaml.ts";

/** Where the YAML parser stumbled, at offsets of the text as written. */
export interface ParseFault {
  readonly code: YAMLError["code"];
  /** The parser's own words. */
  readonly message: string;
  readonly start: number;
  readonly end: number;
  readonly spot: Spot;
}

/** What a slip means, and how to read on behind it. */
export interface Trap {
  readonly rule: string;
  readonly message: string;
  readonly hint?: string | undefined;
  /** Where to look, if that is not where the parser stumbled. */
  readonly spot?: Spot;
  readonly repairs?: readonly Repair[];
  /** Whether the slip lies within one value, so that the parser reads on rightly behind it. */
  readonly isLocal?: boolean;
  /** Whether nothing can be said about the text that follows. */
  readonly isLast?: boolean;
}

export interface Token {
  readonly text: string;
  readonly start: number;
}

/** A text with a mistake: what somebody wrote, and what the parser made of it. */
export class FaultyText {
  readonly lines: Lines;
  readonly #repaired: RepairedText;
  #tokens: readonly Token[] | undefined;

  constructor(lines: Lines, repaired: RepairedText) {
    this.lines = lines;
    this.#repaired = repaired;
  }

  /** Brackets that are open at an offset, outermost first. */
  openBrackets(offset: number): Token[] {
    const open: Token[] = [];
    for (const token of this.tokens) {
      if (token.start >= offset) break;
      if (token.text === "{" || token.text === "[") open.push(token);
      if (token.text === "}" || token.text === "]") open.pop();
      if (token.text === FLOW_END) open.length = 0;
    }
    return open;
  }

  /** The last token before an offset that is neither blank nor comment. */
  inkBefore(offset: number): Token | undefined {
    return this.tokens.findLast(({ text, start }) =>
      start < offset && /^[^\s#]/.test(text) && !MARKS.has(text)
    );
  }

  get tokens(): readonly Token[] {
    this.#tokens ??= this.#lex();
    return this.#tokens;
  }

  #lex(): Token[] {
    let at = 0;
    const tokens: Token[] = [];
    for (const text of new Lexer().lex(this.#repaired.text)) {
      tokens.push({ text, start: this.#repaired.original(at) });
      if (!MARKS.has(text)) at += text.length;
    }
    return tokens;
  }
}

/** The lexer's own marks, which stand for no text. */
const FLOW_END = "\x18";
const MARKS: ReadonlySet<string> = new Set(["\x02", FLOW_END, "\x1f"]);

/** The key that stands on a line, for hints; `key` where there is none. */
export function keyOn(line: string): string {
  return /^\s*(?:- +)*([\w-]+):(?: |$)/.exec(line)?.[1] ?? "key";
}
