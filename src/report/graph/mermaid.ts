/** A flowchart for Markdown pages. https://mermaid.js.org/syntax/flowchart.html */
import { edgesOf, type GraphStep, hooksOf, kindLines, shortNames, withoutHooks } from "./graph.ts";

const ARROWS = { needs: "-->", after: "-.->", member: "---" } as const;

export function renderMermaid(steps: readonly GraphStep[]): string {
  const name = shortNames(steps);
  const line = (step: GraphStep) => `  ${name(step.id)}${box(step)}`;
  const hooks = hooksOf(steps).flatMap(({ moment, hooks }, at) => [
    `  subgraph h${at}["${moment}"]`,
    ...hooks.map((hook) => `  ${line(hook)}`),
    "  end",
  ]);
  const boxes = [...withoutHooks(steps).map(line), ...hooks];
  const arrows = edgesOf(steps).map(({ from, to, kind }) =>
    `  ${name(from)} ${ARROWS[kind]} ${name(to)}`
  );
  return ["flowchart LR", ...boxes, ...arrows, ""].join("\n");
}

/** Different shapes for what chooses, moves, computes and joins. */
function box(step: GraphStep): string {
  const label = `"${[step.id, ...kindLines(step)].map(escape).join("<br/>")}"`;
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
