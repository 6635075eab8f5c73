import { nearest } from "../core/did_you_mean.ts";
import { stepOfCells } from "./cell_check.ts";
import type { Comparison, ItemReference, Named, Problem, Reference } from "./expression_parts.ts";
import type { Names } from "./names.ts";

/** What `steps.<id>.state` can be. */
const STATES = [
  "succeeded",
  "failed",
  "allowed-failure",
  "timed-out",
  "cancelled",
  "skipped",
  "reused",
];

/** States by the words of other runners. */
const FOREIGN_STATES: Readonly<Record<string, string>> = {
  success: "succeeded",
  successful: "succeeded",
  ok: "succeeded",
  passed: "succeeded",
  done: "succeeded",
  completed: "succeeded",
  failure: "failed",
  error: "failed",
  timeout: "timed-out",
};

/** Constants that a name is compared with, where it is known what the name can be. */
export function checkComparison(comparison: Comparison, names: Names): readonly Problem[] {
  const { reference, texts } = comparison;
  if (isState(reference)) {
    return texts.filter(({ name }) => !STATES.includes(name)).map(unknownState);
  }
  const [input, ...more] = reference.path;
  if (reference.root.name !== "inputs" || input === undefined || more.length > 0) return [];
  const options = names.optionsOf(input.name);
  if (options === undefined) return [];
  // An input without a value is empty, and may be asked whether it is.
  return texts.filter(({ name }) => name !== "" && !options.includes(name))
    .map((text) => noOption(text, { ...comparison, input: input.name, options }));
}

function isState(reference: Reference | ItemReference): boolean {
  const { root, path } = reference;
  if ("list" in reference) {
    return stepOfCells(reference.list) !== undefined && path.length === 1 &&
      path[0]?.name === "status";
  }
  return root.name === "steps" && path.length === 2 && path[1]?.name === "state";
}

function unknownState(text: Named): Problem {
  const word = text.name.toLowerCase();
  const foreign = Object.hasOwn(FOREIGN_STATES, word) ? FOREIGN_STATES[word] : undefined;
  const best = foreign ?? nearest(word, STATES);
  const hint = best === undefined ? `states: ${STATES.join(", ")}` : `did you mean "${best}"?`;
  return { rule: "unknown-state", at: text, message: `there is no state "${text.name}"`, hint };
}

interface ChoiceComparison extends Pick<Comparison, "operator"> {
  readonly input: string;
  readonly options: readonly string[];
}

function noOption(text: Named, { operator, input, options }: ChoiceComparison): Problem {
  const best = nearest(text.name, options);
  return {
    severity: "warning",
    rule: "no-option",
    at: text,
    message: `${operator === "!=" ? "always" : "never"} true: the options of ${input} are ` +
      options.join(", "),
    ...(best === undefined ? {} : { hint: `did you mean "${best}"?` }),
  };
}
