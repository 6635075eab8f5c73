/** Where boxes and arrows go, from left to right. */
import { Graph, layout } from "npm:@dagrejs/dagre@3.1.3";
import type { Edge, GraphStep } from "./graph.ts";

/** A box; `x` and `y` are its middle. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface Placement {
  readonly width: number;
  readonly height: number;
  box(id: string): Box;
  /** Where an edge passes between its boxes. */
  way(edge: Edge): readonly Point[];
}

export interface PlaceOptions {
  readonly edges: readonly Edge[];
  readonly widthOf: (step: GraphStep) => number;
  readonly height: number;
}

const MARGIN = 8;
const BETWEEN_ROWS = 18;
const BETWEEN_COLUMNS = 46;
/** Laying out without crossings takes time that grows with the square; beyond this nobody reads it. */
const MOST_LAID_OUT = 150;

export function placeSteps(steps: readonly GraphStep[], options: PlaceOptions): Placement {
  return steps.length > MOST_LAID_OUT ? inColumns(steps, options) : laidOut(steps, options);
}

function laidOut(steps: readonly GraphStep[], options: PlaceOptions): Placement {
  const graph = new Graph();
  graph.setGraph({
    rankdir: "LR",
    nodesep: BETWEEN_ROWS,
    ranksep: BETWEEN_COLUMNS,
    marginx: MARGIN,
    marginy: MARGIN,
  });
  graph.setDefaultEdgeLabel(() => ({}));
  // The library keeps nodes in plain objects, where a step "constructor" would find what it is not.
  const keys = new Map(steps.map((step, index) => [step.id, `n${index}`]));
  const key = (id: string) => keys.get(id) ?? id;
  for (const step of steps) {
    graph.setNode(key(step.id), { width: options.widthOf(step), height: options.height });
  }
  for (const { from, to } of options.edges) graph.setEdge(key(from), key(to));
  layout(graph);
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return {
    width,
    height,
    box: (id) => graph.node(key(id)) as Box,
    // The first and the last point lie on the boxes.
    way: ({ from, to }) =>
      (graph.edge(key(from), key(to)) as { points: Point[] }).points.slice(1, -1),
  };
}

/** One column per distance from the beginning. Steps come after what they wait for. */
function inColumns(steps: readonly GraphStep[], options: PlaceOptions): Placement {
  const columns = columnsOf(steps, options.edges);
  const boxes = new Map<string, Box>();
  let x = MARGIN;
  for (const column of columns) {
    const width = Math.max(...column.map(options.widthOf));
    for (const [row, step] of column.entries()) {
      const y = MARGIN + row * (options.height + BETWEEN_ROWS) + options.height / 2;
      boxes.set(step.id, { x: x + width / 2, y, width, height: options.height });
    }
    x += width + BETWEEN_COLUMNS;
  }
  const rows = Math.max(0, ...columns.map((column) => column.length));
  return {
    width: x - BETWEEN_COLUMNS + MARGIN,
    height: 2 * MARGIN + rows * (options.height + BETWEEN_ROWS) - BETWEEN_ROWS,
    box: (id) => boxes.get(id) ?? { x: 0, y: 0, width: 0, height: 0 },
    way: () => [],
  };
}

function columnsOf(steps: readonly GraphStep[], edges: readonly Edge[]): GraphStep[][] {
  const before = Map.groupBy(edges, ({ to }) => to);
  const depths = new Map<string, number>();
  const columns: GraphStep[][] = [];
  for (const step of steps) {
    const waits = (before.get(step.id) ?? []).map(({ from }) => depths.get(from) ?? -1);
    const depth = Math.max(-1, ...waits) + 1;
    depths.set(step.id, depth);
    (columns[depth] ??= []).push(step);
  }
  return columns;
}
