/**
 * What a command printed for a terminal, as markup: its colours stay, everything else that a
 * terminal would obey is taken out. The colours are named by classes, so that the page decides how
 * they look and they can be read on its ground; the 256 and the 16 million become the nearest of 16.
 */
import { escapeMarkup } from "./markup.ts";

/** How text looks from here on; carried from line to line. */
export interface Look {
  /** 0–15, as terminals count them. */
  readonly front: number | undefined;
  readonly back: number | undefined;
  readonly bold: boolean;
  readonly dim: boolean;
  readonly italic: boolean;
  readonly underlined: boolean;
  readonly struck: boolean;
  readonly inverse: boolean;
}

export const PLAIN: Look = {
  front: undefined,
  back: undefined,
  bold: false,
  dim: false,
  italic: false,
  underlined: false,
  struck: false,
  inverse: false,
};

/** Control sequences of ECMA-48: CSI, then strings such as OSC, then all other escapes. */
const SEQUENCE =
  // deno-lint-ignore no-control-regex -- these are what is looked for
  /(?:\x1b\[|\x9b)([0-?]*)([ -/]*[@-~]?)|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -/]*[0-~]?/g;
// deno-lint-ignore no-control-regex -- as above
const MAY_HOLD_SEQUENCES = /[\x1b\x90-\x9f]/;
/** What is left over: control characters but tabs. */
// deno-lint-ignore no-control-regex -- as above
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f]/g;

export interface Rendered {
  readonly markup: string;
  readonly look: Look;
}

/** One line without its end. */
export function renderAnsi(line: string, look: Look): Rendered {
  if (!MAY_HOLD_SEQUENCES.test(line)) return { markup: piece(line, look), look };
  let markup = "";
  let at = 0;
  let now = look;
  for (const match of line.matchAll(SEQUENCE)) {
    markup += piece(line.slice(at, match.index), now);
    at = match.index + match[0].length;
    const [, parameters, final] = match;
    if (final === "m" && parameters !== undefined) now = lookAfter(now, parameters);
  }
  return { markup: markup + piece(line.slice(at), now), look: now };
}

function piece(text: string, look: Look): string {
  const shown = escapeMarkup(text.replaceAll(CONTROLS, ""));
  if (shown === "" || look === PLAIN) return shown;
  const classes = classesOf(look);
  return classes === "" ? shown : `<i class="${classes}">${shown}</i>`;
}

function classesOf(look: Look): string {
  const { front, back } = look.inverse ? { front: look.back, back: look.front ?? WHITE } : look;
  return [
    ...(front === undefined ? [] : [`c${front}`]),
    // Black is what the ground is made of.
    ...(back === undefined || back === 0 ? [] : [`k${back}`]),
    ...(look.bold ? ["bo"] : []),
    ...(look.dim ? ["di"] : []),
    ...(look.italic ? ["it"] : []),
    ...(look.underlined ? ["un"] : []),
    ...(look.struck ? ["st"] : []),
  ].join(" ");
}

const WHITE = 7;

/** Select Graphic Rendition, ECMA-48 8.3.117; `38;5;n` and `38;2;r;g;b` of ISO 8613-6. */
function lookAfter(look: Look, parameters: string): Look {
  if (!/^[0-9;:]*$/.test(parameters)) return look;
  const codes = parameters.split(/[;:]/).map(Number);
  let now = look;
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at] ?? 0;
    if (code === 38 || code === 48) {
      const { color, used } = extended(codes, at + 1);
      at += used;
      if (color !== undefined) now = { ...now, [code === 38 ? "front" : "back"]: color };
    } else now = { ...now, ...(code === 0 ? PLAIN : changeOf(code)) };
  }
  return Object.entries(PLAIN).every(([name, value]) => now[name as keyof Look] === value)
    ? PLAIN
    : now;
}

const CHANGES: Readonly<Record<number, Partial<Look>>> = {
  1: { bold: true },
  2: { dim: true },
  3: { italic: true },
  4: { underlined: true },
  7: { inverse: true },
  9: { struck: true },
  21: { underlined: true },
  22: { bold: false, dim: false },
  23: { italic: false },
  24: { underlined: false },
  27: { inverse: false },
  29: { struck: false },
  39: { front: undefined },
  49: { back: undefined },
};

function changeOf(code: number): Partial<Look> {
  if (code >= 30 && code <= 37) return { front: code - 30 };
  if (code >= 40 && code <= 47) return { back: code - 40 };
  if (code >= 90 && code <= 97) return { front: code - 82 };
  if (code >= 100 && code <= 107) return { back: code - 92 };
  return CHANGES[code] ?? {};
}

function extended(
  codes: readonly number[],
  at: number,
): { readonly color: number | undefined; readonly used: number } {
  const [form, ...values] = codes.slice(at);
  if (form === 5) return { color: ofTable(values[0]), used: 2 };
  const [red, green, blue] = values;
  if (form !== 2 || red === undefined || green === undefined || blue === undefined) {
    return { color: undefined, used: 1 };
  }
  return { color: nearest(red, green, blue), used: 4 };
}

/** xterm's table: 16 names, a cube of 6×6×6, 24 greys. */
function ofTable(index: number | undefined): number | undefined {
  if (index === undefined || index > 255) return undefined;
  if (index < 16) return index;
  if (index >= 232) {
    const grey = 8 + (index - 232) * 10;
    return nearest(grey, grey, grey);
  }
  const level = (step: number) => step === 0 ? 0 : 55 + step * 40;
  const cube = index - 16;
  return nearest(level(Math.floor(cube / 36)), level(Math.floor(cube / 6) % 6), level(cube % 6));
}

/** xterm's own 16. */
const COLORS: readonly (readonly [number, number, number])[] = [
  ...[[0, 0, 0], [205, 0, 0], [0, 205, 0], [205, 205, 0], [0, 0, 238], [205, 0, 205]],
  ...[[0, 205, 205], [229, 229, 229], [127, 127, 127], [255, 0, 0], [0, 255, 0]],
  ...[[255, 255, 0], [92, 92, 255], [255, 0, 255], [0, 255, 255], [255, 255, 255]],
] as [number, number, number][];

function nearest(red: number, green: number, blue: number): number {
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (const [index, [r, g, b]] of COLORS.entries()) {
    const distance = (r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2;
    if (distance < least) [best, least] = [index, distance];
  }
  return best;
}
