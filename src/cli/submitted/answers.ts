/** What the Grid on a node answers, read at the edge: another program may be in its place. Pure. */
import type { GridError } from "../../core/errors.ts";
import { readProblem } from "../../document/problem_record.ts";
import { harmlessText } from "../../terminal/harmless.ts";
import type { BeginAnswer, CancelAnswer, CheckAnswer } from "./request.ts";

/** By what was asked; undefined for what no Grid answers. */
export const READERS = {
  check: readCheck,
  begin: readBegin,
  cancel: readCancel,
};

/** Words of a node that are shown. */
const LONGEST_WORDS = 4000;

function readCheck(value: unknown): CheckAnswer | undefined {
  const { unreached, findings, problem } = fieldsOf(value);
  if (!Array.isArray(unreached) || !Array.isArray(findings)) return undefined;
  const missed = unreached.map(fieldsOf).map(({ node, why }) => ({
    node: words(node),
    why: words(why),
  }));
  const found = findings.map(fieldsOf).map(({ about, words: said, ok, warning, exitCode }) => ({
    about: words(about),
    words: words(said),
    ok: ok === true,
    ...(warning === true && { warning: true as const }),
    ...(typeof exitCode === "number" && { exitCode }),
  }));
  const all = [
    ...missed.flatMap(({ node, why }) => [node, why]),
    ...found.flatMap((each) => [each.about, each.words]),
  ];
  if (all.includes("")) return undefined;
  if (problem === undefined) return { unreached: missed, findings: found };
  const read = problemFrom(problem);
  return read && { unreached: missed, findings: found, problem: read };
}

function readBegin(value: unknown): BeginAnswer | undefined {
  const { pid, restart, problem } = fieldsOf(value);
  if (typeof pid === "number") {
    return { pid, ...(restart !== undefined && { restart: words(restart) }) };
  }
  const read = problemFrom(problem);
  return read && { problem: read };
}

function readCancel(value: unknown): CancelAnswer | undefined {
  const { asked } = fieldsOf(value);
  return typeof asked === "boolean" ? { asked } : undefined;
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function problemFrom(value: unknown): GridError | undefined {
  return readProblem(value, { clean: words });
}

/** Safe to show; empty for what is no text. */
function words(value: unknown): string {
  return typeof value === "string" ? harmlessText(value.slice(0, LONGEST_WORDS)) : "";
}
