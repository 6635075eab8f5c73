/** More mistakes than these are no slip of the finger, however long the word. */
const MOST_SLIPS = 8;

/** The candidate nearest to `word`, where it is near enough to be a slip of the finger. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const folded = fold(word);
  let limit = Math.min(MOST_SLIPS, Math.max(1, Math.floor(word.length / 3)));
  let best: string | undefined;
  let least = Infinity;
  for (const candidate of candidates) {
    // Most candidates are told by their length alone.
    if (Math.abs(candidate.length - word.length) > limit) continue;
    const distance = editDistance(folded, fold(candidate), limit);
    // Of two that are as near, letters that changed places are likelier than one that is missing.
    const isAsLong = candidate.length === word.length;
    if (distance > limit || (distance === least && !isAsLong)) continue;
    best = candidate;
    if (distance === 0) break;
    least = distance;
    limit = isAsLong ? distance - 1 : distance;
  }
  return best;
}

/** snake_case, kebab-case and capitals are slips that cost nothing. */
function fold(word: string): string {
  return word.toLowerCase().replaceAll("_", "-");
}

/**
 * Optimal string alignment: insert, delete, replace and swap of neighbours cost one each. Past `limit`
 * it is only known to be more; cells further from the diagonal than that are never looked at.
 */
export function editDistance(one: string, other: string, limit: number): number {
  const [a, b] = withoutCommonEnds(one, other);
  if (Math.abs(a.length - b.length) > limit) return limit + 1;
  const far = limit + 1;
  let [beforeLast, last, row] = rowsOf(b.length + 2);
  for (let j = 0; j <= Math.min(b.length, far); j++) last[j] = j;
  let lastLeast = 0;
  for (let i = 1; i <= a.length; i++) {
    const from = Math.max(1, i - limit);
    const to = Math.min(b.length, i + limit);
    row[from - 1] = from === 1 ? i : far;
    row[to + 1] = far;
    let least = from === 1 ? i : far;
    for (let j = from; j <= to; j++) {
      const isSame = a.charCodeAt(i - 1) === b.charCodeAt(j - 1);
      let value = Math.min(at(last, j) + 1, at(row, j - 1) + 1, at(last, j - 1) + (isSame ? 0 : 1));
      const isSwap = i > 1 && j > 1 && a.charCodeAt(i - 1) === b.charCodeAt(j - 2) &&
        a.charCodeAt(i - 2) === b.charCodeAt(j - 1);
      if (isSwap) value = Math.min(value, at(beforeLast, j - 2) + 1);
      row[j] = value;
      if (value < least) least = value;
    }
    // A swap reaches back over one row, never over two.
    if (least > limit && lastLeast > limit) return far;
    lastLeast = least;
    [beforeLast, last, row] = [last, row, beforeLast];
  }
  return at(last, b.length);
}

type Rows = [Uint32Array, Uint32Array, Uint32Array];

let rows: Rows = [new Uint32Array(64), new Uint32Array(64), new Uint32Array(64)];

/** The same for every comparison: making them would take longer than filling them. */
function rowsOf(width: number): Rows {
  if (rows[0].length < width) {
    rows = [new Uint32Array(2 * width), new Uint32Array(2 * width), new Uint32Array(2 * width)];
  }
  return rows;
}

/** Names of one file often differ in a few letters alone. */
function withoutCommonEnds(a: string, b: string): readonly [string, string] {
  const shorter = Math.min(a.length, b.length);
  let start = 0;
  while (start < shorter && a.charCodeAt(start) === b.charCodeAt(start)) start++;
  let end = 0;
  while (
    end < shorter - start &&
    a.charCodeAt(a.length - 1 - end) === b.charCodeAt(b.length - 1 - end)
  ) end++;
  return [a.slice(start, a.length - end), b.slice(start, b.length - end)];
}

function at(row: Uint32Array, index: number): number {
  return row[index] ?? 0;
}
