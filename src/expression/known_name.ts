import { suggest } from "../document/shape/check.ts";
import type { Named, Problem } from "./expression_parts.ts";

export interface KnownOptions {
  readonly source: string;
  readonly candidates: ReadonlySet<string>;
  readonly noun: string;
}

/** Whether a name is known; a name with a dash that CEL took for a minus gets its own words. */
export function known(part: Named, { candidates, noun, source }: KnownOptions): readonly Problem[] {
  if (candidates.has(part.name)) return [];
  const tail = /^(-[A-Za-z0-9_]+)+/.exec(source.slice(part.end))?.[0] ?? "";
  const dashed = [...candidates].find((name) =>
    name.startsWith(`${part.name}-`) && `${part.name}${tail}`.startsWith(name)
  );
  if (dashed !== undefined) {
    const before = source.slice(0, part.start).replace(/\.\s*$/, "").trim();
    return [{
      rule: "minus-in-name",
      at: { start: part.start, end: part.start + dashed.length },
      message: `the - in ${dashed} is a minus here`,
      hint: `write ${before}["${dashed}"]`,
    }];
  }
  return [{
    rule: `unknown-${noun.split(" ")[0]}`,
    at: part,
    message: noun.startsWith("output of ")
      ? `${noun.slice("output of ".length)} has no output "${part.name}"`
      : `unknown ${noun} "${part.name}"`,
    hint: suggest(part.name, [...candidates], noun.includes(" ") ? "names" : pluralOf(noun)),
  }];
}

function pluralOf(noun: string): string {
  return noun === "axis" ? "axes" : `${noun}s`;
}
