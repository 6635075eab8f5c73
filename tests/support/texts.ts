import { loadCel } from "../../src/expression/expression.ts";
import { loadScripts } from "../../src/script/scripts.ts";
import { Text, type TextPart } from "../../src/expression/text.ts";

export { Text };

// As loading a file with expressions does.
await Promise.all([loadCel(), loadScripts()]);

const PLACE = { file: "pipeline.yaml", line: 1, column: 1 };

/** A text as the file would hold it, `${{ … }}` and all. */
export function parseText(source: string): Text {
  const parts = source.split(/\$\{\{(.*?)\}\}/s).map((piece, index): TextPart =>
    index % 2 === 0
      ? { kind: "literal", value: piece }
      : { kind: "expression", source: piece, place: PLACE }
  ).filter((part) => part.kind === "expression" || part.value !== "");
  return new Text(parts, PLACE);
}
