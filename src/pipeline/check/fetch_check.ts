/** What a fetch asks for lies below the folder of its step; anything else fails on every node. */
import type { WrittenStep } from "../written_step.ts";
import { axisNames } from "../matrix/matrix.ts";
import type { FetchAction } from "../pipeline.ts";
import { NODE_HOLE } from "../fetch_place.ts";
import type { Text } from "../../expression/text.ts";
import type { TextReader } from "../../expression/reader.ts";

/** Reports paths that leave the folder, as far as they are written out. */
export function checkFetch({ action, entry, matrix }: WrittenStep, reader: TextReader): void {
  const { fetch } = entry;
  if (action?.kind !== "fetch" || fetch === undefined) return;
  checkHoles({ action, fetch, axes: axisNames(matrix) ?? new Set() }, reader);
  for (const [index, text] of action.from.entries()) {
    const way = wayOut(text);
    if (way === undefined) continue;
    const { source } = reader;
    reader.report({
      rule: "fetch-outside",
      spot: Array.isArray(fetch.from)
        ? source.valueSpot(fetch.from, index)
        : source.valueSpot(fetch, "from"),
      message: `this path ${way}, but a fetch takes what lies below the step's folder`,
      hint: "set working-directory to the folder, and give paths below it",
    });
  }
}

interface Holes {
  readonly action: FetchAction<Text>;
  readonly fetch: object;
  readonly axes: ReadonlySet<string>;
}

/** Only `{node}` is replaced; other names in braces would become folders with braces. */
function checkHoles({ action, fetch, axes }: Holes, reader: TextReader): void {
  const literal = action.to.parts.map((part) => part.kind === "literal" ? part.value : " ").join(
    "",
  );
  for (const [hole, name = ""] of literal.matchAll(/\{(\w+)\}/g)) {
    if (hole === NODE_HOLE) continue;
    reader.report({
      severity: axes.has(name) ? "error" : "warning",
      rule: "fetch-hole",
      spot: reader.source.valueSpot(fetch, "to"),
      message: `${hole} stays as it is: only ${NODE_HOLE} is replaced in to:`,
      hint: axes.has(name)
        ? `write \${{ matrix.${name} }}`
        : `write ${NODE_HOLE} for the node that the files come from`,
    });
  }
}

/** A value decides only about what stands behind it. */
function wayOut(text: Text): string | undefined {
  const [first] = text.parts;
  if (first?.kind !== "literal") return undefined;
  const { constant } = text;
  if (first.value.startsWith("/")) return "is absolute";
  if (/^~(\/|$)/.test(first.value)) return "starts in the home folder";
  const parts = (constant ?? first.value.replace(/[^/]*$/, "")).split("/");
  return parts.includes("..") ? "leads out with .." : undefined;
}
