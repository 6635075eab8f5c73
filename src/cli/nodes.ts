/** The nodes a command is about: opened all at once, each failure kept beside the others. */
import { nearest } from "../core/did_you_mean.ts";
import { GridError, toGridError } from "../core/errors.ts";
import type { Node, OpenNode } from "../cluster/node.ts";
import { onceEach } from "../cluster/shared_home.ts";
import type { Session } from "./session.ts";

export interface OpenedNodes {
  /** In the order of the names. */
  readonly open: readonly OpenNode[];
  readonly failed: readonly { readonly node: string; readonly error: GridError }[];
}

/** The same, each machine once, for what is asked of all that lies there; the names left out are told. */
export async function openMachines(
  session: Session,
  options: OpenNodesOptions,
): Promise<OpenedNodes> {
  const { open, failed } = await openNodes(session, options);
  const { nodes, twins } = onceEach(open);
  for (const { node, sameAs } of session.settings.quiet ? [] : twins) {
    session.words.print(`${node} is ${sameAs} by another name: what is there is listed once\n`);
  }
  return { open: nodes, failed };
}

/** Nodes that could not be asked, for `--json`: what they have is missing in the list beside. */
export function silentNodes(failed: OpenedNodes["failed"]) {
  return failed.map(({ node, error }) => ({ node, reason: error.message }));
}

export interface OpenNodesOptions {
  /** As asked for; undefined means all. */
  readonly names: readonly string[] | undefined;
  /** Whether all means this machine's own workspace too. */
  readonly withLocal: boolean;
}

/** @throws {GridError} `usage` for a name that is not configured; the signal's reason */
export async function openNodes(
  { grid, signal }: Session,
  { names: wanted, withLocal }: OpenNodesOptions,
): Promise<OpenedNodes> {
  const configured = grid.cluster.nodes.map(({ name }) => name);
  const known = withLocal ? [...configured, "local"] : configured;
  const names = wanted ?? known;
  checkNames(names, known);
  const results = await Promise.allSettled(
    names.map((name) => grid.cluster.open(name, { signal })),
  );
  signal.throwIfAborted();
  return {
    open: results.flatMap((result) => result.status === "fulfilled" ? [result.value] : []),
    failed: results.flatMap((result, index) =>
      result.status === "fulfilled"
        ? []
        : [{ node: names[index] ?? "", error: toGridError(result.reason) }]
    ),
  };
}

/**
 * The configured nodes of these names, not reached yet; undefined means all.
 *
 * @throws {GridError} `usage` for a name that is not configured
 */
export function knownNodes(
  { grid }: Session,
  names: readonly string[] | undefined,
): readonly Node[] {
  const { nodes } = grid.cluster;
  if (names === undefined) return nodes;
  checkNames(names, nodes.map(({ name }) => name));
  const byName = new Map(nodes.map((node) => [node.name, node]));
  return [...new Set(names)].flatMap((name) => byName.get(name) ?? []);
}

function checkNames(names: readonly string[], known: readonly string[]): void {
  for (const name of names) if (!known.includes(name)) throw unknownNode(name, known);
}

function unknownNode(name: string, known: readonly string[]): GridError {
  const near = nearest(name, known);
  return new GridError({
    code: "usage",
    message: `Cannot find node "${name}": it is not in the cluster config`,
    hint: near ? `did you mean "${near}"?` : `nodes: ${known.join(", ")}`,
  });
}
