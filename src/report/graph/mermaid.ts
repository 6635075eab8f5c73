/** A flowchart for Markdown pages. https://mermaid.js.org/syntax/flowchart.html */
import {
  edgesOf,
  foldGroups,
  type GraphStep,
  hooksOf,
  kindLines,
  shortNames,
  withoutHooks,
} from "./graph.ts";

const ARROWS = { needs: "-->", after: "-.->", member: "---" } as const;

/** Mermaid draws no more unless whoever shows the page allows it: its `maxEdges`. */
const MOST_EDGES = 500;

export function renderMermaid(all: readonly GraphStep[]): string {
  const isLarge = edgesOf(all).length > MOST_EDGES;
  const { steps, members } = isLarge ? foldGroups(all) : { steps: all, members: undefined };
  const name = shortNames(steps);
  const line = (step: GraphStep) => `  ${name(step.id)}${box(step, members?.get(step.id))}`;
  const hooks = hooksOf(steps).flatMap(({ moment, hooks }, at) => [
    `  subgraph h${at}["${moment}"]`,
    ...hooks.map((hook) => `  ${line(hook)}`),
    "  end",
  ]);
  const boxes = [...withoutHooks(steps).map(line), ...hooks];
  const edges = edgesOf(steps);
  const left = edges.length - MOST_EDGES;
  const note = left > 0
    ? [`  %% ${left} more edges are left out: Mermaid draws ${MOST_EDGES}`]
    : [];
  const arrows = edges.slice(0, MOST_EDGES).map(({ from, to, kind }) =>
    `  ${name(from)} ${ARROWS[kind]} ${name(to)}`
  );
  return ["flowchart LR", ...boxes, ...arrows, ...note, ""].join("\n");
}

/** Different shapes for what chooses, moves, computes and joins. */
function box(step: GraphStep, members: number | undefined): string {
  const folded = members === undefined ? [] : [`${members} steps`];
  const label = `"${[step.id, ...kindLines(step), ...folded].map(escape).join("<br/>")}"`;
  switch (step.kind) {
    case "select-node":
      return `{{${label}}}`;
    case "sync":
    case "data":
    case "fetch":
      return `[/${label}/]`;
    case "group":
      return `([${label}])`;
    default:
      return `[${label}]`;
  }
}

/** Entities are written with `#` in Mermaid. */
function escape(text: string): string {
  return text.replaceAll("#", "#35;").replaceAll('"', "#quot;").replaceAll("<", "#lt;")
    .replaceAll(">", "#gt;");
}
