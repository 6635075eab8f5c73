/** Whether the nodes that a step wants together can ever be had, and cells that need each other. */
import type { WrittenStep } from "../written_step.ts";
import type { KnownNode } from "../load_options.ts";
import { gangNode } from "../read_gang.ts";
import type { CheckedFile } from "./checked_file.ts";
import type { TextReader } from "../../expression/reader.ts";

/** More nodes than the cluster has that could fit: no waiting cures that. */
export function checkGangs(file: CheckedFile, nodes: readonly KnownNode[]): void {
  const steps = [...file.graph.byId.values(), ...Object.values(file.hooks).flat()];
  for (const step of steps) {
    const { nodes: written } = step.entry;
    const gang = step.action?.kind === "run" ? step.action.gang : undefined;
    // A number that an expression gives is known when the step starts.
    if (written === undefined || typeof gang?.count !== "number") continue;
    const request = gangNode(written, step.node ?? file.defaultNode ?? { kind: "best" });
    if (request.kind !== "selector") continue;
    const { labels, among, exclude = [], gpus } = request.selector;
    const names = [...among, ...exclude, ...labels];
    // What an expression gives is known when the step starts.
    if (names.some(({ constant }) => constant === undefined)) continue;
    const words = (texts: typeof labels) => texts.map(({ constant = "" }) => constant.trim());
    const fitting = nodes.filter((node) =>
      (among.length === 0 || words(among).includes(node.name)) &&
      !words(exclude).includes(node.name) &&
      words(labels).every((label) => node.labels.includes(label)) &&
      (node.gpus === undefined || node.gpus >= gpus)
    );
    if (fitting.length >= gang.count) continue;
    const of = nodes.length === 1 ? "the only node" : `the ${nodes.length} nodes`;
    const shown = fitting.length === 0 ? "" : `: ${fitting.map(({ name }) => name).join(", ")}`;
    file.reader.report({
      rule: "too-few-nodes",
      spot: file.reader.source.keySpot(step.entry, "nodes"),
      message: `it wants ${gang.count} nodes together, and ${fitting.length} of ${of} of the ` +
        `cluster can be among them${shown}`,
      hint: "ask for fewer, or for less of each; grid health shows what there is",
    });
  }
}

/** `--nnodes=4` and its kind: so many processes wait for each other. */
const COUNTED = /--(?:nnodes|num[-_]machines|num[-_]nodes)[= ]+(\d{1,4})\b/;
/** Which of them a cell is. */
const RANKED = /(?:--(?:node|machine)[-_]rank[= ]+|\bNODE_RANK=|\bRANK=)["']?\$\{\{\s*matrix\./;

/** A matrix whose cells wait for each other hangs where not all of them may run at once. */
export function checkRendezvous({ entry, matrix }: WrittenStep, reader: TextReader): void {
  const most = matrix?.["max-parallel"];
  if (matrix === undefined || most === undefined) return;
  const script = entry.run ?? "";
  const env = Object.entries(entry.env ?? {}).map(([name, value]) => `${name}=${String(value)}`);
  const needed = Math.max(
    Number(COUNTED.exec(script)?.[1] ?? 0),
    [script, ...env].some((text) => RANKED.test(text)) ? longestAxis(matrix) : 0,
  );
  if (most >= needed) return;
  reader.report({
    severity: "warning",
    rule: "gang-max-parallel",
    spot: reader.source.valueSpot(matrix, "max-parallel"),
    message: `its cells wait for each other: ${needed} must run at once, and only ${most} may`,
    hint: `remove max-parallel:, or write one step with nodes: ${needed} in place of the matrix`,
  });
}

function longestAxis(matrix: NonNullable<WrittenStep["matrix"]>): number {
  const lists = Object.entries(matrix)
    .flatMap(([key, value]) =>
      Array.isArray(value) && key !== "include" && key !== "exclude" ? [value.length] : []
    );
  return Math.max(0, ...lists);
}
