import type { ScalarSource } from "./yaml/yaml_node.ts";

/**
 * Offset in the source of one scalar, as written, of the character at `index` of its value.
 *
 * Folding, indentation and chomping only ever change white space, so characters are counted without
 * it; quotes, escapes and the header of a block scalar are stepped over.
 */
export function scalarOffset(raw: string, scalar: ScalarSource, index: number): number {
  const start = contentStart(raw, scalar.style);
  // Most scalars stand on one line as they are.
  if (raw.startsWith(scalar.text, start) && !raw.includes("\n")) return inkFrom(raw, start + index);
  const wanted = inkBefore(scalar.text, index);
  let seen = 0;
  let offset = start;
  while (offset < raw.length) {
    const width = charWidth(raw, offset, scalar.style);
    if (!isBlank(raw, offset, width)) {
      if (seen === wanted) return offset;
      seen++;
    }
    offset += width;
  }
  return Math.max(0, raw.length - 1);
}

/** Offset of the first character from `offset` on that is not white space. */
function inkFrom(raw: string, offset: number): number {
  let at = offset;
  while (at < raw.length && isWhite(raw.charCodeAt(at))) at++;
  return Math.max(0, Math.min(at, raw.length - 1));
}

/** Characters before `index` that are not white space. */
function inkBefore(text: string, index: number): number {
  let ink = 0;
  for (let i = 0; i < index && i < text.length; i++) if (!isWhite(text.charCodeAt(i))) ink++;
  return ink;
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
