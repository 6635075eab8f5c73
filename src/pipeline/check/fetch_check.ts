/** What a fetch asks for lies below the folder of its step; anything else fails on every node. */
import type { Blueprint } from "../blueprint.ts";
import type { Text } from "../text.ts";
import type { TextReader } from "../text_reader.ts";

/** Reports paths that leave the folder, as far as they are written out. */
export function checkFetch({ action, entry }: Blueprint, reader: TextReader): void {
  const { fetch } = entry;
  if (action?.kind !== "fetch" || fetch === undefined) return;
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
