/** The lines of one ignore file, read and asked as git does: the last one that matches decides. */
import { Buffer } from "node:buffer";
import { type Matcher, parseNamePattern, parsePathPattern } from "./ignore_pattern.ts";

export interface IgnoreLine {
  /** As it stands in the file. */
  readonly text: string;
  /** `!`: what it matches is not left out. */
  readonly takesIn: boolean;
}

interface Rule extends IgnoreLine {
  /** Later ones are stronger. */
  readonly rank: number;
  readonly foldersOnly: boolean;
  /** Without a `/` it is asked about names, at any depth. */
  readonly isForNames: boolean;
  readonly matches: Matcher;
}

export class IgnoreLines {
  /** Most lines are names; those are looked up. Strongest first. */
  readonly #names = new Map<string, Rule[]>();
  /** Strongest first. */
  readonly #others: readonly Rule[];

  constructor(text: string) {
    const rules = toBytes(text.replace(/^\ufeff/, "")).split("\n").flatMap(parseLine).toReversed();
    this.#others = rules.filter((rule) => !isPlainName(rule));
    for (const rule of rules.filter(isPlainName)) {
      const same = this.#names.get(rule.name);
      if (same === undefined) this.#names.set(rule.name, [rule]);
      else same.push(rule);
    }
  }

  /** `path` is relative to the file's folder, in bytes as `toBytes` gives them, and ends in `name`. */
  find(name: string, path: () => string, isFolder: boolean): IgnoreLine | undefined {
    const named = this.#names.get(name)?.find((rule) => isFolder || !rule.foldersOnly);
    const weakest = named?.rank ?? -1;
    let whole: string | undefined;
    for (const rule of this.#others) {
      if (rule.rank < weakest) break;
      if (rule.foldersOnly && !isFolder) continue;
      if (rule.matches(rule.isForNames ? name : whole ??= path())) return rule;
    }
    return named;
  }
}

interface ParsedRule extends Rule {
  /** The name that it means, where it is one. */
  readonly name: string | undefined;
}

function isPlainName(rule: ParsedRule): rule is ParsedRule & { readonly name: string } {
  return rule.name !== undefined;
}

function parseLine(whole: string, rank: number): ParsedRule[] {
  if (whole.startsWith("#")) return [];
  // Git's lines are texts of C, which end at a zero.
  const text = withoutBlanks(whole.replace(/\r$/, "").replace(/\0.*$/s, ""));
  const takesIn = text.startsWith("!");
  const foldersOnly = text.length > (takesIn ? 1 : 0) && text.endsWith("/");
  const pattern = text.slice(takesIn ? 1 : 0, foldersOnly ? -1 : undefined);
  if (pattern === "") return [];
  const isForNames = !pattern.includes("/");
  const matches = isForNames
    ? parseNamePattern(pattern)
    : parsePathPattern(pattern.replace(/^\//, ""));
  if (matches === undefined) return [];
  const name = isForNames && !/[*?[\\]/.test(pattern) ? pattern : undefined;
  return [{ text: toText(text), rank, takesIn, foldersOnly, isForNames, matches, name }];
}

/** Blanks at the end of a line do not count, unless there is a `\` before them. */
function withoutBlanks(text: string): string {
  let end = 0;
  for (let at = 0; at < text.length; at++) {
    if (text[at] === "\\") {
      if (++at === text.length) return text;
      end = at + 1;
    } else if (text[at] !== " ") end = at + 1;
  }
  return text.slice(0, end);
}

/** `?` and classes stand for bytes in git: every byte of a name or pattern as one character. */
export function toBytes(text: string): string {
  return isAscii(text) ? text : Buffer.from(text, "utf8").toString("latin1");
}

/** The other way round, for what people read. */
function toText(bytes: string): string {
  return isAscii(bytes) ? bytes : Buffer.from(bytes, "latin1").toString("utf8");
}

function isAscii(text: string): boolean {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 0x7f) return false;
  return true;
}
