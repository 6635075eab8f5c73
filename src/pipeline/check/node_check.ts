import { suggest } from "../../document/shape/check.ts";
import type { WrittenStep } from "../written_step.ts";
import { checkGangs } from "./gang_check.ts";
import type { CheckedFile } from "./checked_file.ts";
import type { KnownNode } from "../load_options.ts";
import type { NodeRequest } from "../pipeline.ts";
import type { Text } from "../../expression/text.ts";
import type { TextReader } from "../../expression/reader.ts";

/** Kinds that run on one node, and so need to know which. */
const ON_A_NODE: ReadonlySet<string> = new Set(["run", "ray-batch", "fetch", "uses"]);

/** Finds the node a step runs on where `node:` is not written: the one that a step before it chose. */
export function chosenBy(
  step: WrittenStep,
  file: Pick<CheckedFile, "graph">,
): readonly WrittenStep[] {
  return selectSteps(file).filter((select) => file.graph.isAncestor(select.id, step.id));
}

const known = new WeakMap<CheckedFile["graph"], readonly WrittenStep[]>();

function selectSteps({ graph }: Pick<CheckedFile, "graph">): readonly WrittenStep[] {
  const found = known.get(graph) ??
    graph.order.filter((step) => step.kind === "select-node" && step.matrix === undefined);
  known.set(graph, found);
  return found;
}

/** Reports steps whose node is ambiguous, and names and labels that no configured node has. */
export function checkNodes(file: CheckedFile, nodes: readonly KnownNode[] | undefined): void {
  const { graph, reader, hooks } = file;
  for (const step of graph.byId.values()) checkChoice(step, file);
  if (nodes === undefined) return;
  const reached = nodes.filter(({ unreached }) => unreached === undefined);
  checkGangs(file, reached);
  const names = [...reached.map(({ name }) => name), "local"];
  const labels = [...new Set(reached.flatMap((node) => node.labels))];
  const steps = [...graph.byId.values(), ...Object.values(hooks).flat()];
  for (const step of steps) {
    checkLabels(step, { labels, reader });
    for (const { text, container, key } of namedNodes(step)) {
      const name = text.constant?.trim();
      // An expression that is never closed is reported as such.
      if (name === undefined || names.includes(name) || name.includes("${{")) continue;
      const spot = reader.source.valueSpot(container, key);
      const why = nodes.find((node) => node.name === name)?.unreached;
      if (why !== undefined) {
        const message = `node "${name}" is not reached: ${why}`;
        reader.report({ rule: "unreached-node", spot, message });
        continue;
      }
      reader.report({
        rule: "unknown-node",
        spot,
        message: `unknown node "${name}"`,
        hint: suggest(name, names, "nodes"),
      });
    }
  }
}

/** Where no node has any label, the pipeline is looked at beside another cluster than its own. */
function checkLabels(
  { entry, node, action }: WrittenStep,
  { labels, reader }: { readonly labels: readonly string[]; readonly reader: TextReader },
): void {
  if (labels.length === 0) return;
  const inline = node && { request: node, container: entry.node ?? entry.fetch?.node };
  const chosen = action?.kind === "select-node" &&
    { request: { kind: "selector", selector: action.selector }, container: entry["select-node"] };
  for (const { request, container } of [inline, chosen].filter((each) => !!each)) {
    if (request.kind !== "selector" || typeof container !== "object") continue;
    const { labels: value } = container;
    for (const wanted of listed(request.selector.labels, container, { key: "labels", value })) {
      const label = wanted.text.constant;
      if (label === undefined || labels.includes(label)) continue;
      reader.report({
        severity: "warning",
        rule: "unknown-label",
        spot: reader.source.valueSpot(wanted.container, wanted.key),
        message: `no node of the cluster carries the label "${label}"`,
        hint: suggest(label, labels, "labels"),
      });
    }
  }
}

function checkChoice(step: WrittenStep, file: CheckedFile): void {
  const { reader } = file;
  if (step.node !== undefined || file.defaultNode !== undefined) return;
  if (step.entry.nodes !== undefined) return;
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

function namedNodes(step: WrittenStep): NamedNode[] {
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
  if (action?.kind === "data" && action.to !== "all" && entry.data) {
    found.push(...listed(action.to, entry.data, { key: "to", value: entry.data.to }));
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
