/** The nodes a command is about: opened all at once, each failure kept beside the others. */
import { nearest } from "../core/did_you_mean.ts";
import { GridError, toGridError } from "../core/errors.ts";
import type { OpenNode } from "../cluster/node.ts";
import type { Session } from "./session.ts";

export interface OpenedNodes {
  /** In the order of the names. */
  readonly open: readonly OpenNode[];
  readonly failed: readonly { readonly node: string; readonly error: GridError }[];
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
  for (const name of names) if (!known.includes(name)) throw unknownNode(name, known);
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

function unknownNode(name: string, known: readonly string[]): GridError {
  const near = nearest(name, known);
  return new GridError({
    code: "usage",
    message: `Cannot find node "${name}": it is not in the cluster config`,
    hint: near ? `did you mean "${near}"?` : `nodes: ${known.join(", ")}`,
  });
}
