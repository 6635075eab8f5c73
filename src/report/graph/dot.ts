/** For Graphviz. https://graphviz.org/doc/info/lang.html */
import { edgesOf, type GraphStep, hooksOf, kindLines, withoutHooks } from "./graph.ts";

const STYLES = { needs: "", after: " [style=dashed]", member: " [style=dotted]" } as const;
const SHAPES: Readonly<Record<string, string>> = {
  "select-node": "diamond",
  "sync": "parallelogram",
  "data": "parallelogram",
  "fetch": "parallelogram",
  "group": "ellipse",
};

export function renderDot(steps: readonly GraphStep[]): string {
  const clusters = hooksOf(steps).flatMap(({ moment, hooks }) => [
    `  subgraph ${quoted(`cluster_${moment}`)} {`,
    `    label=${quoted(moment)};`,
    ...hooks.map((hook) => `  ${box(hook)}`),
    "  }",
  ]);
  const boxes = [...withoutHooks(steps).map(box), ...clusters];
  const arrows = edgesOf(steps).map(({ from, to, kind }) =>
    `  ${quoted(from)} -> ${quoted(to)}${STYLES[kind]};`
  );
  return ["digraph pipeline {", "  rankdir=LR;", ...boxes, ...arrows, "}", ""].join("\n");
}

function box(step: GraphStep): string {
  const label = quoted([step.id, ...kindLines(step)].join("\n"));
  return `  ${quoted(step.id)} [shape=${SHAPES[step.kind] ?? "box"}, label=${label}];`;
}

function quoted(text: string): string {
  return `"${text.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}
