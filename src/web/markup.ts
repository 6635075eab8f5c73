/** HTML that cannot be made without escaping: what is not `Markup` is text. */
import { escapeMarkup } from "../report/markup.ts";

export class Markup {
  constructor(readonly text: string) {}

  toString(): string {
    return this.text;
  }
}

export type Piece = Markup | string | number | undefined | readonly Piece[];

export const NOTHING = new Markup("");

/** Marks that turn the direction of text around: a name must not look like another one. */
const TURNS = /[\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** `` markup`<b>${text}</b>` ``; also between quotes of attributes. */
export function markup(parts: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return new Markup(
    parts.map((part, at) => part + (at < pieces.length ? piece(pieces[at]) : "")).join(""),
  );
}

function piece(value: Piece): string {
  if (value === undefined) return "";
  if (value instanceof Markup) return value.text;
  if (typeof value === "object") return value.map(piece).join("");
  return escapeMarkup(String(value).replaceAll(TURNS, ""));
}

/** The one door for HTML of the report room, which escapes by itself, and for constants of ours. */
export function trusted(text: string): Markup {
  return new Markup(text);
}
