import { suggest } from "../document/check.ts";
import type { Blueprint } from "./blueprint.ts";
import type { CheckedFile } from "./checked_file.ts";
import type { NodeRequest } from "./pipeline.ts";
import type { Text } from "./text.ts";

/** Kinds that run on one node, and so need to know which. */
const ON_A_NODE: ReadonlySet<string> = new Set(["run", "ray-batch", "fetch", "uses"]);

/** Finds the node a step runs on where `node:` is not written: the one that a step before it chose. */
export function chosenBy(
  step: Blueprint,
  file: Pick<CheckedFile, "graph">,
): readonly Blueprint[] {
  return selectSteps(file).filter((select) => file.graph.isAncestor(select.id, step.id));
}

const known = new WeakMap<CheckedFile["graph"], readonly Blueprint[]>();

function selectSteps({ graph }: Pick<CheckedFile, "graph">): readonly Blueprint[] {
  const found = known.get(graph) ??
    graph.order.filter((step) => step.kind === "select-node" && step.matrix === undefined);
  known.set(graph, found);
  return found;
}

/** Reports steps whose node is ambiguous, and names of nodes that are not configured. */
export function checkNodes(file: CheckedFile, nodeNames: readonly string[] | undefined): void {
  const { graph, reader, hooks } = file;
  for (const step of graph.byId.values()) checkChoice(step, file);
  if (nodeNames === undefined) return;
  const names = [...nodeNames, "local"];
  const steps = [...graph.byId.values(), ...Object.values(hooks).flat()];
  for (const step of steps) {
    for (const { text, container, key } of namedNodes(step)) {
      const name = text.constant?.trim();
      if (name === undefined || names.includes(name)) continue;
      reader.report({
        rule: "unknown-node",
        spot: reader.source.valueSpot(container, key),
        message: `unknown node "${name}"`,
        hint: suggest(name, names, "nodes"),
      });
    }
  }
}

function checkChoice(step: Blueprint, file: CheckedFile): void {
  const { reader } = file;
  if (step.node !== undefined || file.defaultNode !== undefined) return;
  if (step.kind === undefined || !ON_A_NODE.has(step.kind)) return;
  const candidates = chosenBy(step, file);
  const kindSpot = reader.source.keySpot(step.entry, step.kind);
  if (candidates.length > 1) {
    const ids = candidates.map((candidate) => candidate.id);
    reader.report({
      rule: "ambiguous-node",
      spot: kindSpot,
      message: `several steps before it choose a node: ${ids.join(", ")}`,
      hint: `say which: node: \${{ ${reference(ids[0] ?? "")}.outputs.node }}`,
    });
  }
  if (candidates.length === 0 && step.kind === "fetch") {
    reader.report({
      severity: "warning",
      rule: "fetch-anywhere",
      spot: kindSpot,
      message: "it does not say from which node to fetch, so the best one is taken",
      hint: "add node: ${{ steps.<id>.node }}, the node where an earlier step ran",
    });
  }
}

/** `steps.a`, or `steps["a-b"]` where a dash would be a minus. */
export function reference(id: string): string {
  return id.includes("-") ? `steps["${id}"]` : `steps.${id}`;
}

interface NamedNode {
  readonly text: Text;
  readonly container: object;
  readonly key: string | number;
}

function namedNodes(step: Blueprint): NamedNode[] {
  const { entry, node, action } = step;
  const found: NamedNode[] = [];
  const place = entry.node === undefined ? entry.fetch : entry;
  if (node?.kind === "named" && place) {
    found.push({ text: node.name, container: place, key: "node" });
  }
  if (node && place) found.push(...among(node, place.node));
  if (action?.kind === "sync" && action.to !== "all" && entry.sync) {
    found.push(...listed(action.to, entry.sync, { key: "to", value: entry.sync.to }));
  }
  if (action?.kind === "select-node" && entry["select-node"]) {
    found.push(...among({ kind: "selector", selector: action.selector }, entry["select-node"]));
  }
  return found;
}

function among(node: NodeRequest<Text>, container: unknown): NamedNode[] {
  if (node.kind !== "selector" || typeof container !== "object" || container === null) return [];
  const value = (container as { among?: unknown }).among;
  return listed(node.selector.among, container, { key: "among", value });
}

function listed(
  texts: readonly Text[],
  container: object,
  { key, value }: { readonly key: string; readonly value: unknown },
): NamedNode[] {
  return texts.map((text, index) =>
    Array.isArray(value) ? { text, container: value, key: index } : { text, container, key }
  );
}
