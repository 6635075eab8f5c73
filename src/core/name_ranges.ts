/** Many names in few words: `gpu1, gpu2, gpu3` are `gpu[1-3]`, as cluster tools write them. */

/** More names than any cluster has. */
const MOST = 10_000;

/** Names that differ in their last number only stand together; the order is that of the first of each. */
export function foldNames(names: readonly string[]): string {
  const kinds = Map.groupBy(names, (name) => {
    const [, head = name, digits, tail = ""] = /^(.*?)(\d+)(\D*)$/.exec(name) ?? [];
    // 07 and 7 are two names.
    const width = digits?.startsWith("0") ? digits.length : 0;
    return digits === undefined || digits.length > 9 ? name : `${head}\0${tail}\0${width}`;
  });
  return [...kinds].map(([kind, members]) => {
    const [head, tail, width] = kind.split("\0");
    if (width === undefined || members.length === 1) return members.join(",");
    const from = (head ?? "").length;
    const until = (tail ?? "").length;
    const numbers = [
      ...new Set(members.map((name) => Number(name.slice(from, name.length - until)))),
    ]
      .toSorted((a, b) => a - b);
    return `${head}[${rangesOf(numbers, Number(width))}]${tail}`;
  }).join(",");
}

/** `[0, 1, 2, 5]` → `0-2,5`. @param numbers whole ones, each once */
export function foldNumbers(numbers: readonly number[]): string {
  return rangesOf(numbers.toSorted((a, b) => a - b), 0);
}

function rangesOf(numbers: readonly number[], width: number): string {
  const ranges: [number, number][] = [];
  for (const number of numbers) {
    const last = ranges.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  const shown = (number: number) => String(number).padStart(width, "0");
  return ranges.map(([from, to]) => from === to ? shown(from) : `${shown(from)}-${shown(to)}`)
    .join(",");
}

/** `gpu[1-3,7],cpu1` → its names; undefined where the words are none. */
export function expandNames(text: string): readonly string[] | undefined {
  const names: string[] = [];
  for (const word of text.split(/,(?![^[\]]*\])/)) {
    const name = word.trim();
    if (name === "") continue;
    const match = /^([^[\]]*)\[([\d,\s-]+)\]([^[\]]*)$/.exec(name);
    if (match === null) {
      if (/[[\]]/.test(name)) return undefined;
      names.push(name);
      continue;
    }
    const [, head = "", ranges = "", tail = ""] = match;
    for (const range of ranges.split(",")) {
      const found = /^\s*(\d{1,9})(?:-(\d{1,9}))?\s*$/.exec(range);
      const [, from = "", to = from] = found ?? [];
      if (found === null || Number(to) < Number(from)) return undefined;
      if (names.length + Number(to) - Number(from) >= MOST) return undefined;
      const width = from.startsWith("0") ? from.length : 0;
      for (let number = Number(from); number <= Number(to); number++) {
        names.push(`${head}${String(number).padStart(width, "0")}${tail}`);
      }
    }
  }
  return names;
}
