/** What to say of a key that the format does not know at its place. */
import { own } from "../../core/own.ts";
import type { KeyHint, UnknownKey } from "../../document/shape/unknown_key.ts";
import { keysAt } from "../../document/shape/shape.ts";
import { OTHER_NAMES, SENTENCES } from "./foreign_keys.ts";
import { pipelineSchema } from "../schema.ts";

/** The hint for a word of another runner, and the key that it stands for. */
export function foreign({ path, value, siblings }: UnknownKey): KeyHint | undefined {
  const key = String(path.at(-1));
  const place = placeOf(path);
  if (/^timeout[-_]minutes$/.test(key)) {
    return { hint: `write timeout: ${typeof value === "number" ? value : 30}m`, meant: "timeout" };
  }
  if (/^x-/.test(key)) return { hint: "keys of your own stand at the top of the file" };
  if (place === "file" && OWN_KEY.test(key)) {
    return { hint: `write x-${key.replace(OWN_KEY, "")}:, which Grid leaves to you` };
  }
  const meant = meantBy(key, place);
  if (meant !== undefined && !siblings.includes(meant)) return { hint: `write ${meant}:`, meant };
  const sentence = own(own(SENTENCES, place) ?? {}, key);
  if (sentence === undefined) return undefined;
  return { hint: sentence, meant: / (steps):/.exec(sentence)?.[1] };
}

/** Our key that the word stands for. */
function meantBy(word: string, place: string): string | undefined {
  const names = Object.entries(own(OTHER_NAMES, place) ?? {});
  return names.find(([, words]) => words.split(" ").includes(word))?.[0];
}

/** How other tools mark keys that are the author's own, a place for anchors. */
const OWN_KEY = /^(\.|_|x_|X-)/;

/** Parts of the format, and what a hint calls them. */
const SECTIONS: readonly (readonly [path: readonly (string | number)[], words: string])[] = [
  [[], "at the top of the file"],
  [["steps", 0], "in a step"],
  ...["matrix", "timeout", "retry", "node", "ray-batch", "sync", "data", "fetch"].map((key) =>
    [["steps", 0, key], `under ${key}:`] as const
  ),
  [["concurrency"], "under concurrency:"],
  [["schedule"], "under schedule:"],
];

/** Places in which the key is known. */
export function placesOf(key: string): string[] {
  return SECTIONS.filter(([path]) => keysAt(pipelineSchema, path).includes(key))
    .map(([, words]) => words);
}

/** The name of a place in the tables of foreign words. */
function placeOf(path: readonly PropertyKey[]): string {
  const [top = "file", ...rest] = path.slice(0, -1).filter((part) => typeof part === "string");
  if (top === "inputs") return "inputs";
  const inStep = top === "steps"
    ? rest
    : top === "hooks" && rest.length > 0
    ? rest.slice(1)
    : [top];
  const section = inStep[0] === "outputs" ? "outputs" : inStep.at(-1) ?? "step";
  return section === "select-node" ? "node" : String(section);
}
