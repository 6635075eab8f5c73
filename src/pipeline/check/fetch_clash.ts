/** Two cells of a matrix that bring the same file to the same place: the last one would win, silently. */
import { join } from "node:path/posix";
import type { Mistake } from "../../document/shape/check.ts";
import type { WrittenStep } from "../written_step.ts";
import { parseExpression } from "../../expression/expression.ts";
import { fetchPlace, NODE_HOLE } from "../fetch_place.ts";
import type { PartialEvaluation } from "../partial_evaluation.ts";
import type { FetchAction, Step } from "../pipeline.ts";
import { Text, type TextPart } from "../../expression/text.ts";
import type { TextReader } from "../../expression/reader.ts";

/** A fetch as it was expanded, and where it is written. */
export interface PlacedFetch {
  readonly step: Step & { readonly action: FetchAction<Text> };
  readonly written: WrittenStep;
  readonly reader: TextReader;
}

export interface ClashOptions {
  readonly steps: ReadonlyMap<string, Step>;
  readonly evaluation: PartialEvaluation;
}

/**
 * As far as it shows before the run: paths that are written out. What a glob finds, and which nodes
 * are chosen, shows only in the run, where the second cell fails.
 */
export function fetchClashes(
  fetches: readonly PlacedFetch[],
  { steps, evaluation }: ClashOptions,
): readonly Mistake[] {
  const taken = new Map<WrittenStep, Map<string, Step>>();
  const mistakes = new Map<WrittenStep, Mistake>();
  for (const { step, written, reader } of fetches) {
    if (mistakes.has(written) || evaluation.falseCondition(step) !== undefined) continue;
    const known = taken.get(written) ?? new Map<string, Step>();
    taken.set(written, known);
    for (const place of placesOf(step, { steps, evaluation })) {
      const other = known.get(place);
      if (other === undefined) known.set(place, step);
      else if (areCells(other, step, steps)) {
        mistakes.set(written, clash({ step, written, reader }, { other, place }));
      }
    }
  }
  return [...mistakes.values()];
}

function clash(
  { step, written, reader }: PlacedFetch,
  { other, place }: { readonly other: Step; readonly place: string },
): Mistake {
  const { fetch = { from: [] } } = written.entry;
  const axis = Object.keys(step.matrix ?? {})[0];
  const own = axis === undefined ? "" : `to: results/\${{ matrix.${axis} }}, or `;
  return {
    rule: "fetch-clash",
    spot: reader.source.has(fetch, "to")
      ? reader.source.valueSpot(fetch, "to")
      : reader.source.keySpot(written.entry, "fetch"),
    message: `${other.id} and ${step.id} would both bring ${
      shown(place)
    }, and the last one would win`,
    hint: `give every cell a folder of its own: ${own}to: results/${NODE_HOLE}`,
  };
}

/** What stands for values that only the run knows is not shown. */
function shown(place: string): string {
  return place.replaceAll(UNKNOWN, (_, source: string) => `\${{ ${source.trim()} }}`);
}

const UNKNOWN = /\uE000([^\uE000]*)\uE000/g;

/** Files, relative to the project, as far as they are told apart before the run. */
function placesOf(step: PlacedFetch["step"], options: ClashOptions): string[] {
  const seen = (text: Text) => seenBefore(text, { ...options, step });
  let to = seen(step.action.to);
  if (to === undefined) return [];
  if (to.includes(NODE_HOLE)) {
    const node = step.node.kind === "named" ? seen(step.node.name) : undefined;
    if (node === undefined) return [];
    to = fetchPlace(to, node);
  }
  return step.action.from.flatMap((text) => {
    const from = seen(text);
    return from === undefined || /[*?[{]/.test(from) ? [] : [join(to, from)];
  });
}

interface Seeing extends ClashOptions {
  readonly step: Step;
}

/** Undefined where cells may differ in it, nobody knows how. */
function seenBefore(text: Text, seeing: Seeing): string | undefined {
  const parts = text.parts.map((part) => {
    if (part.kind === "literal") return part.value;
    const value = seeing.evaluation.text(new Text([part], text.place), seeing.step);
    return value ?? (isOfTheRun(part, seeing) ? `\uE000${part.source}\uE000` : undefined);
  });
  return parts.includes(undefined) ? undefined : parts.join("");
}

/** The same for all cells, whatever it is. */
function isOfTheRun(
  { source }: TextPart & { readonly kind: "expression" },
  { step, steps }: Seeing,
): boolean {
  const { references, calls } = parseExpression(source);
  return calls.length === 0 && references.every(({ root, path: [name] }) => {
    if (root.name !== "steps") return root.name === "run";
    const action = name && steps.get(name.name)?.action;
    // To a cell, a step with the same matrix is another cell each time; so is one of a template.
    return step.scope === "" && !!action && !(action.kind === "group" && action.of === "matrix");
  });
}

/** Whether they stand in different cells of one matrix. */
function areCells(one: Step, other: Step, steps: ReadonlyMap<string, Step>): boolean {
  const cells = cellsAround(one, steps);
  return [...cellsAround(other, steps)].some(([matrix, cell]) => {
    const its = cells.get(matrix);
    return its !== undefined && its !== cell;
  });
}

/** Matrix → the cell of it that the step is, or stands in. */
function cellsAround(step: Step, steps: ReadonlyMap<string, Step>): Map<string, string> {
  const found = new Map<string, string>();
  for (let at: Step | undefined = step; at?.group !== undefined; at = steps.get(at.group)) {
    const { action } = steps.get(at.group) ?? {};
    if (action?.kind === "group" && action.of === "matrix") found.set(at.group, at.id);
  }
  return found;
}
