/** For Graphviz. https://graphviz.org/doc/info/lang.html */
import { edgesOf, type GraphStep } from "./graph.ts";

const STYLES = { needs: "", after: " [style=dashed]", member: " [style=dotted]" } as const;
const SHAPES: Readonly<Record<string, string>> = {
  "select-node": "diamond",
  "sync": "parallelogram",
  "fetch": "parallelogram",
  "group": "ellipse",
};

export function renderDot(steps: readonly GraphStep[]): string {
  const boxes = steps.map((step) => {
    const label = `${quoted(`${step.id}\n${step.kind}`)}`;
    return `  ${quoted(step.id)} [shape=${SHAPES[step.kind] ?? "box"}, label=${label}];`;
  });
  const arrows = edgesOf(steps).map(({ from, to, kind }) =>
    `  ${quoted(from)} -> ${quoted(to)}${STYLES[kind]};`
  );
  return ["digraph pipeline {", "  rankdir=LR;", ...boxes, ...arrows, "}", ""].join("\n");
}

function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
