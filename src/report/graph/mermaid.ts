/** A flowchart for Markdown pages. https://mermaid.js.org/syntax/flowchart.html */
import { edgesOf, type GraphStep, shortNames } from "./graph.ts";

const ARROWS = { needs: "-->", after: "-.->", member: "---" } as const;

export function renderMermaid(steps: readonly GraphStep[]): string {
  const name = shortNames(steps);
  const boxes = steps.map((step) => `  ${name(step.id)}${box(step)}`);
  const arrows = edgesOf(steps).map(({ from, to, kind }) =>
    `  ${name(from)} ${ARROWS[kind]} ${name(to)}`
  );
  return ["flowchart LR", ...boxes, ...arrows, ""].join("\n");
}

/** Different shapes for what chooses, moves, computes and joins. */
function box(step: GraphStep): string {
  const label = `"${escape(step.id)}<br/>${escape(step.kind)}"`;
  switch (step.kind) {
    case "select-node":
      return `{{${label}}}`;
    case "sync":
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
