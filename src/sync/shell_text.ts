/** The shell scripts of this room, read once. */
import { readFileSync } from "node:fs";

const texts = new Map<string, string>();

export function shellText(name: string): string {
  const known = texts.get(name);
  if (known !== undefined) return known;
  const text = readFileSync(new URL(`./${name}`, import.meta.url), "utf8");
  texts.set(name, text);
  return text;
}
