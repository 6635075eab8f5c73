import type { ScalarSource } from "./tree.ts";

/**
 * Offset in the source of one scalar, as written, of the character at `index` of its value.
 *
 * Folding, indentation and chomping only ever change white space, so characters are counted without
 * it; quotes, escapes and the header of a block scalar are stepped over.
 */
export function scalarOffset(raw: string, scalar: ScalarSource, index: number): number {
  const wanted = inkBefore(scalar.text, index);
  let seen = 0;
  let offset = contentStart(raw, scalar.style);
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

/** Characters before `index` that are not white space. */
function inkBefore(text: string, index: number): number {
  let ink = 0;
  for (let i = 0; i < index && i < text.length; i++) if (!/\s/.test(text.charAt(i))) ink++;
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
  if (width === 1) return /\s/.test(raw.charAt(offset));
  // Escapes that stand for white space, or for nothing (an escaped line break).
  return /^\\[ tnrvfNLP_\n\r]/.test(raw.slice(offset, offset + 2));
}
