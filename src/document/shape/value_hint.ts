/** How a value of the wrong type would have to be written. */

/**
 * The hint for a value where `expected` ("text", "a list", "a whole number or a map") stands; undefined
 * where nobody can tell what was meant.
 */
export function valueHint(expected: string, found: unknown): string | undefined {
  if (found === undefined) return undefined;
  const takes = (word: string) => expected.includes(word);
  if (typeof found === "string") return hintForText(expected, found);
  if (Array.isArray(found)) {
    if (takes("map")) return "write its keys below it, without -";
    if (takes("text")) return "write one value";
    return takes("true or false") ? "write true or false" : undefined;
  }
  if (typeof found === "object") {
    if (takes("a list")) return takes("text") ? "write the names alone" : "put - before each entry";
    return takes("text") ? "write one value" : undefined;
  }
  if (takes("text")) return `put it in quotes: "${found}"`;
  if (takes("a list")) return `write [${found}]`;
  if (takes("true or false")) return "write true or false";
  return takes("whole number") ? "write a whole number" : undefined;
}

function hintForText(expected: string, found: string): string | undefined {
  if (found.includes("${{")) return "an expression is not possible here";
  if (expected === "true or false") return hintForFlag(found);
  if (expected === "a list" && isPlain(found)) return `write [${found}]`;
  if (!expected.includes("number")) return undefined;
  const isNumber = found.trim() !== "" && Number.isFinite(Number(found));
  return isNumber ? `write ${found} without quotes` : `write a number, such as 1`;
}

function hintForFlag(found: string): string {
  if (/^(yes|on)$/i.test(found)) return "write true";
  if (/^(no|off)$/i.test(found)) return "write false";
  if (found === "true" || found === "false") return `write ${found} without quotes`;
  return "write true or false";
}

/** Can stand in a list as it is. */
function isPlain(text: string): boolean {
  return /^[\w./-]+$/.test(text);
}
