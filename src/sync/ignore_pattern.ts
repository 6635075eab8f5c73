/**
 * One pattern of an ignore file, matched as git's `wildmatch.c` does, in time that grows with the length of
 * the pattern times that of the path and never faster: all places of the pattern at which the bytes so far
 * can have arrived are followed at once. Texts are bytes, one character each.
 */
import { isOfClass } from "./byte_class.ts";

/** Whether the whole text is meant. */
export type Matcher = (bytes: string) => boolean;

/** Any bytes of one name; any bytes at all; folders or nothing, where the next two are `STARS` and `/`. */
const STAR = -1;
const STARS = -2;
const FOLDERS = -3;
const SLASH = 0x2f;

/** A byte, one of those above, or the bytes that a class holds. */
type Token = number | Uint8Array;

/** What stands for more than itself, as git draws the line. */
const SPECIAL = /[*?[\\]/;

/** Undefined for a pattern that can match nothing: a class or a `\` that does not end. */
export function parseNamePattern(pattern: string): Matcher | undefined {
  return matcherFor(pattern, "");
}

/** Of a pattern with a `/` in it, for paths; git compares what comes before the first wildcard first. */
export function parsePathPattern(pattern: string): Matcher | undefined {
  const special = pattern.search(SPECIAL);
  const plain = special < 0 ? pattern.length : special;
  return matcherFor(pattern.slice(plain), pattern.slice(0, plain));
}

function matcherFor(pattern: string, before: string): Matcher | undefined {
  if (!SPECIAL.test(pattern)) return (bytes) => bytes === before + pattern;
  if (pattern[0] === "*" && !/[*?[\\/]/.test(pattern.slice(1))) {
    const end = pattern.slice(1);
    const least = before.length + end.length;
    return (bytes) =>
      bytes.endsWith(end) && bytes.length >= least && bytes.startsWith(before) &&
      !bytes.includes("/", before.length);
  }
  const tokens = tokensOf(pattern);
  if (tokens === undefined) return undefined;
  const { least, needle } = plainParts(tokens);
  return (bytes) =>
    bytes.length >= before.length + least && bytes.startsWith(before) &&
    (needle === "" || bytes.includes(needle, before.length)) && run(tokens, bytes, before.length);
}

/** What tells most paths apart at once: bytes that there have to be, and the longest plain piece. */
function plainParts(tokens: readonly Token[]): { readonly least: number; readonly needle: string } {
  let least = 0;
  let piece = "";
  let needle = "";
  for (let at = 0; at < tokens.length; at++) {
    const token = tokens[at];
    if (token === FOLDERS) at += 2;
    else if (token !== STAR && token !== STARS) least++;
    piece = typeof token === "number" && token >= 0 ? piece + String.fromCharCode(token) : "";
    if (piece.length > needle.length) needle = piece;
  }
  return { least, needle };
}

function run(tokens: readonly Token[], bytes: string, from: number): boolean {
  let here = new Uint8Array(tokens.length + 1);
  let next = new Uint8Array(tokens.length + 1);
  arrive(tokens, here, 0);
  for (let at = from; at < bytes.length; at++) {
    const byte = bytes.charCodeAt(at);
    let isAlive = false;
    next.fill(0);
    for (let place = 0; place < tokens.length; place++) {
      const token = tokens[place];
      if (here[place] === 0 || token === undefined || token === FOLDERS) continue;
      const stays = token === STARS || token === STAR && byte !== SLASH;
      const goesOn = typeof token === "number" ? token === byte : token[byte] === 1;
      if (!stays && !goesOn) continue;
      arrive(tokens, next, stays ? place : place + 1);
      isAlive = true;
    }
    if (!isAlive) return false;
    [here, next] = [next, here];
  }
  return here[tokens.length] === 1;
}

/** Marks a place, and those behind it that need no byte. */
function arrive(tokens: readonly Token[], places: Uint8Array, place: number): void {
  for (let at = place; places[at] === 0;) {
    places[at] = 1;
    const token = tokens[at];
    if (token === FOLDERS) {
      places[at + 1] = 1;
      places[at + 2] = 1;
      at += 3;
    } else if (token === STAR || token === STARS) at++;
    else return;
  }
}

function tokensOf(pattern: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  for (let at = 0; at < pattern.length;) {
    const char = pattern[at];
    if (char === "*") at = readStars(pattern, at, tokens);
    else if (char === "?") {
      tokens.push(ANY);
      at++;
    } else if (char === "[") {
      const found = readClass(pattern, at);
      if (found === undefined) return undefined;
      tokens.push(found.bytes);
      at = found.end;
    } else {
      if (char === "\\" && ++at === pattern.length) return undefined;
      tokens.push(pattern.charCodeAt(at++));
    }
  }
  return tokens;
}

const ANY = new Uint8Array(256).fill(1);
ANY[SLASH] = 0;

/** Two stars and more reach across folders where they are all of a part. */
function readStars(pattern: string, start: number, tokens: Token[]): number {
  let end = start;
  while (pattern[end] === "*") end++;
  const isWhole = end - start > 1 && (start === 0 || pattern[start - 1] === "/") &&
    (end === pattern.length || /^\\?\//.test(pattern.slice(end, end + 2)));
  if (!isWhole) tokens.push(STAR);
  else if (pattern[end] !== "/") tokens.push(STARS);
  else {
    // One after the other they mean the same as one.
    if (tokens.at(-3) !== FOLDERS) tokens.push(FOLDERS, STARS, SLASH);
    return end + 1;
  }
  return end;
}

/** `[a-z]`, `[!a]`, `[[:digit:]]`; a `]` that comes first, and what follows a `\`, means itself. */
function readClass(
  pattern: string,
  start: number,
): { readonly bytes: Uint8Array; readonly end: number } | undefined {
  const bytes = new Uint8Array(256);
  const isTurned = /[!^]/.test(pattern[start + 1] ?? "");
  let before = 0;
  let at = start + (isTurned ? 2 : 1);
  for (let isFirst = true; isFirst || pattern[at] !== "]"; isFirst = false) {
    if (at >= pattern.length) return undefined;
    const name = pattern.startsWith("[:", at) ? nameOfClass(pattern, at + 2) : undefined;
    if (name !== undefined) {
      for (let byte = 0; byte < 256; byte++) {
        const holds = isOfClass(name, byte);
        if (holds === undefined) return undefined;
        if (holds) bytes[byte] = 1;
      }
      before = 0;
      at += name.length + 4;
      continue;
    }
    const isRange = pattern[at] === "-" && before > 0 && at + 1 < pattern.length &&
      pattern[at + 1] !== "]";
    if (isRange) at++;
    if (pattern[at] === "\\") at++;
    if (at >= pattern.length) return undefined;
    const byte = pattern.charCodeAt(at++);
    bytes.fill(1, isRange ? before : byte, byte + 1);
    before = isRange ? 0 : byte;
  }
  if (isTurned) { for (let byte = 0; byte < 256; byte++) bytes[byte] = 1 - (bytes[byte] ?? 0); }
  bytes[SLASH] = 0;
  return { bytes, end: at + 1 };
}

/** Of `[:name:]`; without the `:]` it is a class of these signs. */
function nameOfClass(pattern: string, start: number): string | undefined {
  const end = pattern.indexOf("]", start);
  return end > start && pattern[end - 1] === ":" ? pattern.slice(start, end - 1) : undefined;
}
