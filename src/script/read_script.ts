import type { Container, Key } from "../document/source.ts";
import type { Text } from "../expression/text.ts";
import type { TextReader } from "../expression/reader.ts";
import { scripts } from "./scripts.ts";

/**
 * The script at a key; an expression whose value cannot be kept whole in it is reported. Where a harmless
 * value may stand, it depends on the type of the expression, which is known later.
 */
export function readScript(container: Container, key: Key, reader: TextReader): Text {
  const text = reader.text(container, key);
  if (text.constant !== undefined) return text;
  const refusals = new Map(scripts().splicesOf(text).map(({ part, hole }) => [part, hole.refusal]));
  let index = 0;
  for (const part of text.parts) {
    const length = part.kind === "literal" ? part.value.length : part.source.length + 5;
    const refusal = part.kind === "expression" ? refusals.get(part) : undefined;
    if (part.kind === "expression" && refusal?.takesHarmless) {
      reader.caution(part.source, refusal);
    } else if (refusal) {
      const spot = reader.source.spotWithin(container, key, { index, length });
      reader.report({ rule: "unsafe-value", spot, ...refusal });
    }
    index += length;
  }
  return text;
}
