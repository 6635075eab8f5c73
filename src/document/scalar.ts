import type { ScalarSource } from "./yaml/yaml_node.ts";

/**
 * Offset in the source of one scalar, as written, of the character at an index of its value.
 *
 * Folding, indentation and chomping only ever change white space, so characters are counted without
 * it; quotes, escapes and the header of a block scalar are stepped over. The scalar is read once, for
 * however many places of it are asked for.
 */
export function scalarOffsets(raw: string, scalar: ScalarSource): (index: number) => number {
  const start = contentStart(raw, scalar.style);
  // Most scalars stand on one line as they are.
  if (raw.startsWith(scalar.text, start) && !raw.includes("\n")) {
    return (index) => inkFrom(raw, start + index);
  }
  const before = inkBefore(scalar.text);
  const places = inkPlaces(raw, start, scalar.style);
  const last = Math.max(0, raw.length - 1);
  return (index) => places[before[Math.min(index, scalar.text.length)] ?? 0] ?? last;
}

/** Offsets of the characters that are not white space. */
function inkPlaces(raw: string, start: number, style: ScalarSource["style"]): number[] {
  const places: number[] = [];
  for (let offset = start; offset < raw.length;) {
    const width = charWidth(raw, offset, style);
    if (!isBlank(raw, offset, width)) places.push(offset);
    offset += width;
  }
  return places;
}

/** Offset of the first character from `offset` on that is not white space. */
function inkFrom(raw: string, offset: number): number {
  let at = offset;
  while (at < raw.length && isWhite(raw.charCodeAt(at))) at++;
  return Math.max(0, Math.min(at, raw.length - 1));
}

/** For each index, the characters before it that are not white space. */
function inkBefore(text: string): Uint32Array {
  const before = new Uint32Array(text.length + 1);
  for (let at = 0; at < text.length; at++) {
    before[at + 1] = (before[at] ?? 0) + (isWhite(text.charCodeAt(at)) ? 0 : 1);
  }
  return before;
}

function contentStart(raw: string, style: ScalarSource["style"]): number {
  if (style === "block") return raw.indexOf("\n") + 1;
  return style === "plain" ? 0 : 1;
}

/** Characters of the source that make one character of the value. */
function charWidth(raw: string, offset: number, style: ScalarSource["style"]): number {
  const char = raw.charAt(offset);
  if (style === "single" && char === "'" && raw.charAt(offset + 1) === "'") return 2;
  if (style !== "double" || char !== "\\") return 1;
  // \xHH, \uHHHH and \UHHHHHHHH are the only escapes longer than two characters.
  const digits = { x: 2, u: 4, U: 8 }[raw.charAt(offset + 1)] ?? 0;
  return 2 + digits;
}

function isBlank(raw: string, offset: number, width: number): boolean {
  if (width === 1) return isWhite(raw.charCodeAt(offset));
  // Escapes that stand for white space, or for nothing (an escaped line break).
  return /^\\[ tnrvfNLP_\n\r]/.test(raw.slice(offset, offset + 2));
}

/** Blanks, tabs and line breaks; what else may be white needs the long way. */
function isWhite(code: number): boolean {
  if (code < 0x80) return code === 0x20 || (code >= 0x09 && code <= 0x0d);
  return /\s/.test(String.fromCharCode(code));
}
