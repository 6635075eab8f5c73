/**
 * Globs: `*`, `**`, `?`, `[ab]`, `[!a-z]`, `[[:digit:]]`, `{a,b}` and `\` before what means itself. Files and
 * nodes give patterns and names, so the time grows with the length of both and never faster: no regular
 * expression backtracks here.
 */
import { expandBraces } from "./brace.ts";

/** Whether the path, or a folder above it, is meant. */
export type Glob = (path: string) => boolean;

/** Fits one character. */
type Single = (char: string) => boolean;

/** What stands between two `/`. */
export interface GlobPart {
  readonly tokens: readonly (Single | "*")[];
  /** As in shells, a name that begins with a dot is meant only where the dot is written. */
  readonly takesDot: boolean;
  /** The one name that it fits, where it has no wildcard. */
  readonly plain: string | undefined;
}

export type GlobParts = readonly (GlobPart | "**")[];

/** Places in the parts that the names so far can have arrived at; the last one is behind all parts. */
export type GlobPlaces = ReadonlySet<number>;

/** @throws {GlobFault} */
export function parseGlob(pattern: string): Glob {
  const globs = expandBraces(pattern).map((text) => text.split("/").map(parsePart));
  return (path) => {
    const names = path.split("/");
    return globs.some((parts) => isAtOrAbove(parts, names));
  };
}

function isAtOrAbove(parts: GlobParts, names: readonly string[]): boolean {
  let places = firstPlaces(parts);
  for (const name of names) {
    places = nextPlaces(parts, places, name);
    if (places.has(parts.length)) return true;
    if (places.size === 0) return false;
  }
  return false;
}

export function firstPlaces(parts: GlobParts): GlobPlaces {
  return pastStars(new Set([0]), parts);
}

/** Where one more name leads. */
export function nextPlaces(parts: GlobParts, places: GlobPlaces, name: string): GlobPlaces {
  const next = new Set<number>();
  const chars = [...name];
  for (const place of places) {
    const part = parts[place];
    if (part === "**") {
      if (chars[0] !== ".") next.add(place).add(place + 1);
    } else if (part !== undefined && fits(part, chars)) next.add(place + 1);
  }
  return pastStars(next, parts);
}

/** `**` also stands for no part at all; but what lies in any folder is no file beside the folders. */
export function pastStars(places: Set<number>, parts: GlobParts): GlobPlaces {
  // What is added while a set is walked is walked too.
  for (const place of places) {
    if (parts[place] === "**" && !isContentOfAny(parts, place)) places.add(place + 1);
  }
  return places;
}

function isContentOfAny(parts: GlobParts, place: number): boolean {
  const before = parts[place - 1];
  return place === parts.length - 1 && typeof before === "object" && before.plain === undefined;
}

/** Where a star took too little, the last one takes more: earlier ones need not. */
function fits({ tokens, takesDot }: GlobPart, name: readonly string[]): boolean {
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

/** `text` has no `/`. */
export function parsePart(text: string): GlobPart | "**" {
  if (text === "**") return "**";
  const chars = [...text];
  const tokens: (Single | "*")[] = [];
  let plain: string | undefined = "";
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? "";
    const group = char === "[" ? parseClass(chars, at) : undefined;
    if (char === "*") {
      if (tokens.at(-1) !== "*") tokens.push("*");
      plain = undefined;
    } else if (char === "?") {
      tokens.push(() => true);
      plain = undefined;
    } else if (group !== undefined) {
      tokens.push(group.fits);
      plain = undefined;
      at = group.end;
    } else {
      const wanted = char === "\\" && at + 1 < chars.length ? chars[++at] ?? "" : char;
      tokens.push((found) => found === wanted);
      if (plain !== undefined) plain += wanted;
    }
  }
  return { tokens, takesDot: /^\\?\./.test(text), plain };
}

/** Undefined where no `]` follows: the `[` means itself. */
function parseClass(
  chars: readonly string[],
  start: number,
): { readonly fits: Single; readonly end: number } | undefined {
  const isTurned = /[!^]/.test(chars[start + 1] ?? "");
  const first = start + (isTurned ? 2 : 1);
  const singles: Single[] = [];
  for (let at = first; at < chars.length; at++) {
    const from = chars[at] ?? "";
    if (from === "]" && at > first) {
      return { fits: (char) => singles.some((single) => single(char)) !== isTurned, end: at };
    }
    const name = from === "["
      ? /^\[:([a-z]{1,10}):\]/.exec(chars.slice(at, at + 14).join(""))
      : null;
    const named = name && CLASSES[name[1] ?? ""]?.();
    if (named) {
      singles.push((char) => named.test(char));
      at += name[0].length - 1;
      continue;
    }
    const isRange = chars[at + 1] === "-" && at + 2 < chars.length && chars[at + 2] !== "]";
    const to = isRange ? chars[at += 2] ?? "" : from;
    singles.push((char) => from <= char && char <= to);
  }
  return undefined;
}

/** Of `[[:name:]]`, each made when it is asked for: for some, V8 goes through all of Unicode. */
const CLASSES: Readonly<Record<string, (() => RegExp) | undefined>> = {
  __proto__: null as never,
  alnum: () => /^[\p{L}\p{Nl}\p{Nd}]$/u,
  alpha: () => /^[\p{L}\p{Nl}]$/u,
  blank: () => /^[\p{Zs}\t]$/u,
  cntrl: () => /^\p{Cc}$/u,
  digit: () => /^\p{Nd}$/u,
  lower: () => /^\p{Ll}$/u,
  punct: () => /^[\p{P}$+<=>^`|~]$/u,
  space: () => /^[\p{Z}\t\r\n\v\f]$/u,
  upper: () => /^\p{Lu}$/u,
  xdigit: () => /^[A-Fa-f0-9]$/,
};
