import { styleText } from "node:util";

type Format = Parameters<typeof styleText>[0];

/** Puts colour on words, or leaves them alone. */
export interface Paint {
  readonly color: boolean;
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
  magenta(text: string): string;
  blue(text: string): string;
}

export type Hue = Exclude<keyof Paint, "color">;

/** The caller has decided about `NO_COLOR` and terminals already. */
export function createPaint(color: boolean): Paint {
  const painter = (format: Format) => (text: string) =>
    color && text !== "" ? styleText(format, text, { validateStream: false }) : text;
  return {
    color,
    bold: painter("bold"),
    dim: painter("dim"),
    red: painter("red"),
    green: painter("green"),
    yellow: painter("yellow"),
    cyan: painter("cyan"),
    magenta: painter("magenta"),
    blue: painter("blue"),
  };
}

const NAME_HUES: readonly Hue[] = ["cyan", "magenta", "blue", "yellow", "green"];

/** The same name always gets the same colour. */
export function hueOfName(name: string): Hue {
  let sum = 0;
  for (const char of name) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 65_521;
  return NAME_HUES[sum % NAME_HUES.length] ?? "cyan";
}
