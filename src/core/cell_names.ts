/** Shorter forms for the names of cells: `sweep[lr=1e-4,seed=1]`, `sweep[lr=1e-4,seed=1]/train`. */

/** A name in parts: what stands outside its brackets and, between that, the axes inside them. */
interface CellName {
  readonly outside: readonly string[];
  readonly axes: readonly (readonly Axis[])[];
}

interface Axis {
  readonly name: string;
  readonly value: string;
}

/** What stands before the first bracket, and may be cut if need be, and the rest. */
export interface CellForm {
  readonly head: string;
  readonly body: string;
}

/** Names that differ in nothing but the values of their axes have the same. */
export function familyOf(name: string): string {
  const { outside, axes } = partsOf(name);
  return JSON.stringify([outside, axes.map((inside) => inside.map((axis) => axis.name))]);
}

/**
 * Ways to write all names of one family that leave out only what they share, the longest first:
 * without the axes that do not differ, without the names of the axes, without the words and then the
 * characters that values share.
 */
export function shorterForms(family: readonly string[]): readonly (readonly CellForm[])[] {
  const cells = family.map(partsOf);
  const differs = differingAxes(cells);
  const words = tipsOf(cells, { backTo: LETTER_OR_DIGIT });
  const chars = tipsOf(cells, { backTo: undefined });
  const ways: readonly Way[] = [
    { write: ({ name, value }) => `${name}=${value}`, mark: "…" },
    { write: ({ value }) => value, mark: "…" },
    { write: ({ value }) => value },
    { write: ({ value }, place) => words(place, value) },
    { write: ({ value }, place) => chars(place, value) },
  ];
  return ways.map(({ write, mark }) =>
    cells.map(({ outside: [head = "", ...outside], axes }) => ({
      head,
      body: axes.map((inside, bracket) => {
        const all = inside.map((axis, at) =>
          differs.has(`${bracket}.${at}`) ? write(axis, `${bracket}.${at}`) : mark
        );
        const shown = all.filter((text, at) => text !== mark || (mark && text !== all[at - 1]));
        return `[${shown.join(",")}]${outside[bracket] ?? ""}`;
      }).join(""),
    }))
  );
}

interface Way {
  readonly write: (axis: Axis, place: string) => string;
  /** Stands for axes that are left out. */
  readonly mark?: string;
}

function partsOf(name: string): CellName {
  // Every second piece is what brackets hold.
  const pieces = name.split(/\[([^\]]*)\]/);
  return {
    outside: pieces.filter((_, at) => at % 2 === 0),
    axes: pieces.filter((_, at) => at % 2 === 1).map(axesOf),
  };
}

/** A comma before something that is no axis belongs to a value. */
function axesOf(inside: string): Axis[] {
  return inside.split(/,(?=[^,=]+=)/).map((item) => {
    const [name = "", ...value] = item.split("=");
    return { name, value: value.join("=") };
  });
}

/** All values by the place of their axis, `bracket.axis`. */
function valuesByPlace(cells: readonly CellName[]): ReadonlyMap<string, readonly string[]> {
  const values = new Map<string, string[]>();
  for (const { axes } of cells) {
    for (const [bracket, inside] of axes.entries()) {
      for (const [at, { value }] of inside.entries()) {
        const place = `${bracket}.${at}`;
        const known = values.get(place);
        if (known) known.push(value);
        else values.set(place, [value]);
      }
    }
  }
  return values;
}

function differingAxes(cells: readonly CellName[]): ReadonlySet<string> {
  const places = [...valuesByPlace(cells)].filter(([, values]) => new Set(values).size > 1);
  return new Set(places.map(([place]) => place));
}

const LETTER_OR_DIGIT = /[\p{L}\p{N}]/u;

/**
 * A value without the beginning and the end that all values of its axis share. With `backTo`, what is
 * left out ends where a word ends: `…train.csv`, not `…rain.csv`.
 */
function tipsOf(
  cells: readonly CellName[],
  { backTo }: { readonly backTo: RegExp | undefined },
): (place: string, value: string) => string {
  const shared = new Map(
    [...valuesByPlace(cells)].map(([place, values]) => {
      const chars = values.map((value) => [...value]);
      const start = sharedStart(chars, backTo);
      const end = sharedStart(chars.map((value) => value.slice(start).reverse()), backTo);
      return [place, { start, end }] as const;
    }),
  );
  return (place, value) => {
    const { start = 0, end = 0 } = shared.get(place) ?? {};
    const chars = [...value];
    const tip = chars.slice(start, chars.length - end).join("");
    return `${start > 0 ? "…" : ""}${tip}${end > 0 ? "…" : ""}`;
  };
}

/** How many characters all texts begin with, up to where a word ends. */
function sharedStart(
  [first = [], ...others]: readonly (readonly string[])[],
  word: RegExp | undefined,
): number {
  const differs = first.findIndex((char, at) => others.some((other) => other[at] !== char));
  let shared = differs < 0 ? first.length : differs;
  while (word && shared > 0 && word.test(first[shared - 1] ?? "")) shared--;
  return shared;
}
