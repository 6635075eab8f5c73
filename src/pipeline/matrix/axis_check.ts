import type { MatrixEntry } from "../schema.ts";
import type { Text } from "../../expression/text.ts";
import type { TextReader } from "../../expression/reader.ts";

/** Longer ones are not written out for an example. */
const MAX_SHOWN = 10;

/** Reports an axis that is text; the type of one that is an expression is checked with the others. */
export function checkAxis(
  matrix: MatrixEntry,
  { axis, text, reader }: {
    readonly axis: string;
    readonly text: Text;
    readonly reader: TextReader;
  },
): void {
  const [only, ...more] = text.parts;
  if (only?.kind === "expression" && more.length === 0) return;
  reader.report({
    rule: "bad-axis",
    spot: reader.source.valueSpot(matrix, axis),
    message: `the axis "${axis}" is text, not a list`,
    hint: `write ${axis}: ${listMeant(text.constant)}`,
  });
}

function listMeant(text: string | undefined): string {
  if (text === undefined) return "${{ [ … ] }}, with the whole list inside";
  const [, from, to] = /^(\d+)\s*(?:\.\.\.?|-)\s*(\d+)$/.exec(text) ?? [];
  const count = Number(to) - Number(from) + 1;
  if (count > 0 && count <= MAX_SHOWN) {
    return `[${Array.from({ length: count }, (_, index) => Number(from) + index).join(", ")}]`;
  }
  if (count > MAX_SHOWN) return `[${from}, ${Number(from) + 1}, …, ${to}]`;
  return `[${text.split(/\s*,\s*|\s+/).filter((word) => word !== "").join(", ")}]`;
}
