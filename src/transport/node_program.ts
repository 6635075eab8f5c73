/**
 * The one way onto a node: every program that Grid runs there is a file beside the code that runs it, and
 * is read here. What writes on a node starts with the prelude, whose rules `docs/nodes.md` tells.
 */
import { readFileSync } from "node:fs";

const texts = new Map<string, string>();

/**
 * A program's text, read once per process. Not with promises: the first command would wait for whatever
 * is loaded meanwhile.
 *
 * @param base `import.meta.url` of the module that runs it
 */
export function nodeProgram(name: string, base: string): string {
  const url = new URL(name, base);
  const known = texts.get(url.href);
  if (known !== undefined) return known;
  const text = readFileSync(url, "utf8");
  texts.set(url.href, text);
  return text;
}

/** Shell functions that make folders and names of our own; see the head of `prelude.sh`. */
export function nodePrelude(): string {
  return nodeProgram("prelude.sh", import.meta.url);
}
