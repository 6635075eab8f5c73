/** The graph as boxes and arrows from left to right; one picture that needs nothing else. */
import { shortNames } from "../../core/short_names.ts";
import { escapeMarkup } from "../markup.ts";
import { type Edge, edgesOf, type GraphStep } from "./graph.ts";
import { type Box, type Placement, placeSteps } from "./place.ts";
import { GRAPH_STYLE } from "./svg_style.ts";

const BOX_HEIGHT = 40;
const CHAR = 7.4;
const LONGEST_LABEL = 34;

export function renderSvg(steps: readonly GraphStep[]): string {
  const edges = edgesOf(steps);
  const labelOf = shortNames(steps.map(({ id }) => id), { width: LONGEST_LABEL });
  const widthOf = (step: GraphStep) =>
    Math.max(labelOf(step.id).length, kindOf(step).length) * CHAR + 26;
  const drawn = placeSteps(steps, { edges, widthOf, height: BOX_HEIGHT });
  const size = `${Math.ceil(drawn.width)} ${Math.ceil(drawn.height)}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" class="graph" viewBox="0 0 ${size}" width="${
      Math.ceil(drawn.width)
    }" role="img" aria-label="Graph of the steps">`,
    `<style>${GRAPH_STYLE}</style>`,
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" ' +
    'orient="auto"><path d="M0 0.5 L7.5 4 L0 7.5"/></marker></defs>',
    ...edges.map((edge) => arrow(edge, drawn)),
    ...steps.map((step) => box(step, { ...drawn.box(step.id), label: labelOf(step.id) })),
    "</svg>",
    "",
  ].join("\n");
}

interface LabelledBox extends Box {
  readonly label: string;
}

function box(step: GraphStep, { x, y, width, height, label }: LabelledBox): string {
  const left = round(x - width / 2);
  const top = round(y - height / 2);
  const corner = step.kind === "group" ? height / 2 : 6;
  return `<g class="${escapeMarkup(step.state ?? "planned")}">` +
    `<rect x="${left}" y="${top}" width="${round(width)}" height="${height}" rx="${corner}"/>` +
    `<text x="${round(x)}" y="${round(y - 2)}">${escapeMarkup(label)}</text>` +
    `<text class="kind" x="${round(x)}" y="${round(y + 13)}">${escapeMarkup(kindOf(step))}</text>` +
    `<title>${escapeMarkup(titleOf(step))}</title></g>`;
}

/** Out at the right side of one box, in at the left side of the next, bending gently. */
function arrow(edge: Edge, drawn: Placement): string {
  const from = drawn.box(edge.from);
  const to = drawn.box(edge.to);
  let at = { x: from.x + from.width / 2, y: from.y };
  let way = `M${round(at.x)} ${round(at.y)}`;
  for (const next of [...drawn.way(edge), { x: to.x - to.width / 2, y: to.y }]) {
    const middle = round((at.x + next.x) / 2);
    way += ` C${middle} ${round(at.y)} ${middle} ${round(next.y)} ${round(next.x)} ${
      round(next.y)
    }`;
    at = next;
  }
  const end = edge.kind === "member" ? "" : ' marker-end="url(#arrow)"';
  return `<path class="${edge.kind}" d="${way}"${end}/>`;
}

/** A hook says when it comes, since no arrow does. */
function kindOf({ kind, hook }: GraphStep): string {
  return hook ? `${kind}, on ${hook}` : kind;
}

/** What a pointer that rests on the box is told. */
function titleOf({ id, if: condition }: GraphStep): string {
  return condition === undefined ? id : `${id}: if ${condition}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
