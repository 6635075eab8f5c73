import type { Command } from "./command.ts";
import type { BraceFrame, CodeFrame, Frame } from "./frame.ts";
import type { Hole } from "./hole.ts";
import { type Refusal, REFUSALS } from "./refusal.ts";
import { readerOfInput, secondReader } from "./second_reader.ts";
import type { ScriptState } from "./state.ts";

type Place = Pick<Hole, "kind" | "refusal">;

/** What a value must fit where the scanner is. */
export function describeHole(state: ScriptState): Hole {
  const { top, command } = state;
  const place = placeIn(state);
  const verdict = command && verdictOf(command);
  if (state.isArithmetic || verdict === "number") place.kind = "number";
  else if (verdict !== undefined) place.refusal ??= verdict;
  const isAfterName = state.tail === "name";
  if (isAfterName && (top.kind === "heredoc" || place.kind === "number")) {
    place.refusal ??= REFUSALS.afterName;
  }
  const hole = {
    ...place,
    ...(top.kind === "code" && place.kind === "plain" ? wordsAt(top) : NO_WORDS),
    isAfterName,
    backticks: 0,
    heredocs: state.heredocs,
  };
  if (command?.isTest) command.addToClause(hole);
  return hole;
}

type Words = Pick<Hole, "isBare" | "isRange" | "splits">;

const NO_WORDS: Words = { isBare: false, isRange: false, splits: false };

function placeIn(state: ScriptState): Place {
  const { top, stack } = state;
  if (state.tail === "backslash") return { kind: "plain", refusal: REFUSALS.backslash };
  if (state.tail === "dollar") return { kind: "plain", refusal: REFUSALS.dollar };
  if (state.command?.target === "end") return { kind: "plain", refusal: REFUSALS.heredocEnd };
  if (state.isLost) return { kind: "plain", refusal: REFUSALS.lost };
  switch (top.kind) {
    case "code":
    case "backtick":
      return { kind: "plain" };
    case "brace":
      return placeInBrace(top);
    case "arithmetic":
      return { kind: "number" };
    case "heredoc":
      return { kind: "heredoc", refusal: top.heredoc.reader };
    case "single":
    case "ansi":
      return { kind: top.kind, refusal: isInQuotedBrace(stack) ? REFUSALS.expansion : undefined };
    case "double":
      return { kind: isInQuotedBrace(stack) ? "reopened" : "double" };
    case "comment":
      return { kind: "comment" };
  }
}

function placeInBrace({ inside, operator }: BraceFrame): Place {
  if (inside === "arithmetic" || operator === "slice") return { kind: "number" };
  if (inside === "heredoc") return { kind: "plain", refusal: REFUSALS.heredocExpansion };
  if (operator === undefined) return { kind: "plain", refusal: REFUSALS.name };
  if (operator === "other") return { kind: "plain", refusal: REFUSALS.expansion };
  return { kind: inside === "double" ? "nested" : "plain" };
}

/** `"${x#'…'}"`: quotes cannot be closed and opened again there. */
function isInQuotedBrace(stack: readonly Frame[]): boolean {
  const around = stack.at(-2);
  return around?.kind === "brace" && around.inside !== "code";
}

function verdictOf(command: Command): Refusal | "number" | undefined {
  if (command.target === "text") return readerOfInput(command.words);
  if (command.target !== "") return undefined;
  return secondReader({ words: command.words, prefix: command.word ?? "" });
}

/** What a bare place makes of a value with blanks, and of a list. */
function wordsAt({ command, opener, part }: CodeFrame): Words {
  const word = command.word ?? "";
  const isInCase = part === "subject" || part === "pattern";
  const isArgument = command.target === "" && !command.isTest && !isInCase;
  return {
    isBare: command.word === undefined && !command.isTest &&
      (!command.isFirst || opener === "array"),
    isRange: /\{[^}]*\.\.$/.test(word) || (word.endsWith("{") ? undefined : false),
    splits: isArgument && !command.assigns,
  };
}
