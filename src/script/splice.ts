/** Values inside a shell script: each stays one piece of data, wherever it stands. */
import { GridError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import type { Text, TextPart } from "../expression/text.ts";
import { isEnd } from "./heredoc.ts";
import type { Hole } from "./hole.ts";
import { REFUSALS } from "./refusal.ts";
import { ScriptScanner } from "./scanner.ts";
import { refused, writeValue } from "./write_value.ts";

type ExpressionPart = Extract<TextPart, { kind: "expression" }>;

/** An expression of a script and where it stands. */
export interface Splice {
  readonly part: ExpressionPart;
  readonly hole: Hole;
}

/** The expressions of a script in their order. */
export function splicesOf(text: Text): readonly Splice[] {
  const scanner = new ScriptScanner();
  const splices = text.parts.flatMap((part): Splice[] => {
    if (part.kind === "expression") return [{ part, hole: scanner.hole() }];
    // A last line counts as one even without its line break.
    scanner.literal(part === text.parts.at(-1) ? `${part.value}\n` : part.value);
    return [];
  });
  if (!scanner.finish()) { for (const { hole } of splices) hole.refusal ??= REFUSALS.unclosed; }
  return splices;
}

/**
 * The script with every expression replaced by its value.
 *
 * @throws {GridError} `step-failed` at the expression whose value cannot be kept whole
 */
export function spliceValues(text: Text, valueOf: (part: ExpressionPart) => JsonValue): string {
  const holes = new Map(splicesOf(text).map(({ part, hole }) => [part, hole]));
  const spans: Span[] = [];
  let script = "";
  for (const part of text.parts) {
    if (part.kind === "literal") {
      script += part.value;
      continue;
    }
    const hole = holes.get(part) as Hole;
    const start = script.length;
    const value = valueOf(part);
    script += at(part, () => writeValue(value, hole));
    if (hole.heredocs.length > 0) spans.push({ part, hole, start, end: script.length });
  }
  for (const span of spans) at(span.part, () => checkLines(script, span));
  return script;
}

interface Span extends Splice {
  readonly start: number;
  readonly end: number;
}

/** A here-document ends at the first line that is its end, even one out of a value. */
function checkLines(script: string, { hole, start, end }: Span): void {
  const from = script.lastIndexOf("\n", start - 1) + 1;
  const to = script.indexOf("\n", end);
  const lines = script.slice(from, to === -1 ? script.length : to).split("\n");
  const ended = hole.heredocs.find((heredoc) => lines.some((line) => isEnd(line, heredoc)));
  if (ended === undefined) return;
  throw refused({
    message: `the value would make the line ${ended.end}, which ends the here-document`,
    hint: "choose another word for the end",
  });
}

/** Errors say where. */
function at<T>(part: ExpressionPart, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof GridError) || error.place !== undefined) throw error;
    const { code, message, hint } = error;
    throw new GridError({ code, message, hint, place: part.place, cause: error });
  }
}
