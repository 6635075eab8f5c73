/** Names of steps for a place with little room, so that no two of them ever look the same. */
import { type CellForm, familyOf, shorterForms } from "./cell_names.ts";

export interface ShortNamesOptions {
  /** Columns that a name may take. */
  readonly width: number;
  /** Columns that a text takes; default one for each character. */
  readonly widthOf?: (text: string) => number;
}

type Sizes = Required<ShortNamesOptions>;

/** Fewer columns of what stands before the brackets say nothing. */
const SHORTEST_HEAD = 3;

/**
 * How each of `names` is written. Names that fit stay whole; the cells of a matrix give up what they
 * share, all in the same way; other names are cut in their middle. Where two came out the same, each
 * gets its number among `names`. Only a number that finds no room goes beyond the width.
 */
export function shortNames(
  names: readonly string[],
  { width, widthOf = (text) => [...text].length }: ShortNamesOptions,
): (name: string) => string {
  const sizes = { width, widthOf };
  if (names.every((name) => widthOf(name) <= width)) return (name) => name;
  const short = new Map<string, string>();
  for (const family of Map.groupBy(new Set(names), familyOf).values()) {
    for (const [at, text] of shortFamily(family, sizes).entries()) {
      short.set(family[at] ?? "", text);
    }
  }
  const written = numbered(short, names, sizes);
  return (name) => written.get(name) ?? name;
}

function shortFamily(family: readonly string[], sizes: Sizes): readonly string[] {
  const fits = (texts: readonly string[]) =>
    texts.every((text) => sizes.widthOf(text) <= sizes.width) &&
    new Set(texts).size === texts.length;
  if (fits(family)) return family;
  const forms = family.length > 1 ? shorterForms(family) : [];
  const whole = forms.map((form) => form.map(({ head, body }) => head + body));
  const cut = forms.slice(1).map((form) => form.map((cell) => withShortHead(cell, sizes)));
  return [...whole, ...cut].find(fits) ?? family.map((name) => cutMiddle(name, sizes));
}

function withShortHead({ head, body }: CellForm, { width, widthOf }: Sizes): string {
  const room = Math.max(SHORTEST_HEAD, width - widthOf(body));
  return cutMiddle(head, { width: room, widthOf }) + body;
}

/** Numbers stand instead of the end of names that would otherwise look like another one. */
function numbered(
  short: ReadonlyMap<string, string>,
  names: readonly string[],
  { width, widthOf }: Sizes,
): ReadonlyMap<string, string> {
  const uses = Map.groupBy(short.values(), (text) => text);
  const isClear = (name: string, text: string) => text === name || uses.get(text)?.length === 1;
  const written = new Map([...short].filter(([name, text]) => isClear(name, text)));
  const taken = new Set(written.values());
  for (const [at, name] of names.entries()) {
    if (written.has(name)) continue;
    let text: string;
    let number = at + 1;
    do {
      const mark = `#${number}`;
      text = cutEnd(name, { width: width - widthOf(mark), widthOf }) + mark;
      number += names.length;
    } while (taken.has(text));
    taken.add(text);
    written.set(name, text);
  }
  return written;
}

/** Text cut to its width with `…` where its end is missing; empty where there is no room for it. */
export function cutEnd(text: string, { width, widthOf }: Sizes): string {
  if (widthOf(text) <= width) return text;
  const room = width - widthOf("…");
  return room < 0 ? "" : `${firstOf([...text], { width: room, widthOf })}…`;
}

/** The same with the middle missing; of what is left two thirds are the end. */
export function cutMiddle(text: string, { width, widthOf }: Sizes): string {
  if (widthOf(text) <= width) return text;
  const head = cutEnd(text, { width: Math.ceil(width / 3), widthOf });
  const backwards = [...text].reverse();
  const tail = firstOf(backwards, { width: width - widthOf(head), widthOf });
  return head + [...tail].reverse().join("");
}

function firstOf(chars: readonly string[], { width, widthOf }: Sizes): string {
  let room = width;
  let result = "";
  for (const char of chars) {
    room -= widthOf(char);
    if (room < 0) break;
    result += char;
  }
  return result;
}
