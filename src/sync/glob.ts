/**
 * Globs: `*`, `**`, `?`, `[ab]`, `[!a-z]`, `{a,b}` and `\` before what means itself. Names come from nodes,
 * so the time grows with the length of the name and never faster: no regular expression backtracks here.
 */
import { expandBraces } from "./brace.ts";

/** Whether the path, or a folder above it, is meant. */
export type Glob = (path: string) => boolean;

/** Fits one character. */
type Single = (char: string) => boolean;

interface Part {
  readonly tokens: readonly (Single | "*")[];
  /** As in shells, a name that begins with a dot is meant only where the dot is written. */
  readonly takesDot: boolean;
  readonly isPlain: boolean;
}

export function parseGlob(pattern: string): Glob {
  const globs = expandBraces(pattern).map((text) => text.split("/").map(parsePart));
  return (path) => {
    const names = path.split("/");
    return globs.some((parts) => isAtOrAbove(parts, names));
  };
}

/** All places in the pattern at which the names so far can have arrived, one name after the other. */
function isAtOrAbove(parts: readonly (Part | "**")[], names: readonly string[]): boolean {
  let places = pastStars(new Set([0]), parts);
  for (const name of names) {
    const next = new Set<number>();
    const chars = [...name];
    for (const place of places) {
      const part = parts[place];
      if (part === "**") {
        if (chars[0] !== ".") next.add(place).add(place + 1);
      } else if (part !== undefined && fits(part, chars)) next.add(place + 1);
    }
    places = pastStars(next, parts);
    if (places.has(parts.length)) return true;
    if (places.size === 0) return false;
  }
  return false;
}

/** `**` also stands for no part at all; but what lies in any folder is no file beside the folders. */
function pastStars(places: Set<number>, parts: readonly (Part | "**")[]): Set<number> {
  // What is added while a set is walked is walked too.
  for (const place of places) {
    if (parts[place] === "**" && !isContentOfAny(parts, place)) places.add(place + 1);
  }
  return places;
}

function isContentOfAny(parts: readonly (Part | "**")[], place: number): boolean {
  const before = parts[place - 1];
  return place === parts.length - 1 && typeof before === "object" && !before.isPlain;
}

/** Where a star took too little, the last one takes more: earlier ones need not. */
function fits({ tokens, takesDot }: Part, name: readonly string[]): boolean {
  if (name[0] === "." && !takesDot) return false;
  let token = 0;
  let star = -1;
  let taken = 0;
  for (let at = 0; at < name.length;) {
    const due = tokens[token];
    if (due === "*") {
      star = token++;
      taken = at;
    } else if (due?.(name[at] ?? "")) {
      token++;
      at++;
    } else if (star < 0) return false;
    else {
      token = star + 1;
      at = ++taken;
    }
  }
  return tokens.slice(token).every((rest) => rest === "*");
}

function parsePart(text: string): Part | "**" {
  if (text === "**") return "**";
  const chars = [...text];
  const tokens: (Single | "*")[] = [];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? "";
    const end = char === "["
      ? chars.indexOf("]", at + (/[!^]/.test(chars[at + 1] ?? "") ? 3 : 2))
      : -1;
    if (char === "*") {
      if (tokens.at(-1) !== "*") tokens.push("*");
    } else if (char === "?") tokens.push(() => true);
    else if (end > 0) {
      tokens.push(parseClass(chars.slice(at + 1, end)));
      at = end;
    } else tokens.push(exactly(char === "\\" && at + 1 < chars.length ? chars[++at] ?? "" : char));
  }
  return { tokens, takesDot: /^\\?\./.test(text), isPlain: !/[*?[]/.test(text) };
}

function exactly(wanted: string): Single {
  return (char) => char === wanted;
}

/** What stands between the brackets. */
function parseClass(chars: readonly string[]): Single {
  const isTurned = /[!^]/.test(chars[0] ?? "");
  const ranges: [from: string, to: string][] = [];
  for (let at = isTurned ? 1 : 0; at < chars.length; at++) {
    const from = chars[at] ?? "";
    const isRange = chars[at + 1] === "-" && at + 2 < chars.length;
    ranges.push([from, isRange ? chars[at += 2] ?? "" : from]);
  }
  return (char) => ranges.some(([from, to]) => from <= char && char <= to) !== isTurned;
}
