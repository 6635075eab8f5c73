/** `grid drain` and `grid undrain`: what both do. */
import { toGridError } from "../core/errors.ts";
import { drainNode, drainWords } from "../cluster/drain.ts";
import type { Drain, Node } from "../cluster/node.ts";
import { oneLine } from "../terminal/harmless.ts";
import type { CommandContext } from "./command_module.ts";
import { knownNodes } from "./nodes.ts";
import { nameList } from "./option_values.ts";
import { openSession, type Session } from "./session.ts";
import type { GlobalFlags } from "./settings.ts";

export interface DrainChange {
  readonly nodes: string;
  /** Undefined takes the note back. */
  readonly reason: string | undefined;
  readonly forMs: number | undefined;
}

interface Invocation {
  readonly flags: GlobalFlags;
  readonly context: CommandContext;
}

/** 0 when all nodes are as asked for; 3 where one could not be reached; 5 where another's note stays. */
export async function changeDrain(
  change: DrainChange,
  { flags, context }: Invocation,
): Promise<number> {
  await using session = await openSession(flags, context);
  const nodes = knownNodes(session, nameList(change.nodes));
  const results = await Promise.all(nodes.map((node) => changeOne(node, { change, session })));
  const reached = results.filter(({ drains }) => drains !== undefined).map(({ node }) => node);
  // The rows that others see from the cache are right at once.
  if (reached.length > 0) {
    const { signal } = session;
    await session.grid.cluster.health({ fresh: true, among: reached, signal });
  }
  if (session.settings.json) {
    context.stdout(JSON.stringify({ nodes: results }, null, 2) + "\n");
  } else for (const result of results) context.stdout(`${oneLine(wordsOf(result))}\n`);
  if (reached.length < results.length) return 3;
  const isLeft = change.reason === undefined && results.some(({ drains }) => drains?.length);
  return isLeft ? 5 : 0;
}

interface Result {
  readonly node: string;
  /** Those that are there now; undefined where the node was not reached. */
  readonly drains?: readonly Drain[];
  readonly problem?: string;
}

async function changeOne(
  node: Node,
  { change, session }: { readonly change: DrainChange; readonly session: Session },
): Promise<Result> {
  const { grid, signal } = session;
  const { reason, forMs } = change;
  const transport = grid.pool.transport(node.endpoint);
  try {
    const drains = await drainNode(node.name, { transport, reason, forMs, signal });
    return { node: node.name, drains };
  } catch (thrown) {
    signal.throwIfAborted();
    const error = toGridError(thrown);
    if (error.code === "bug") throw error;
    return { node: node.name, problem: error.message };
  }
}

function wordsOf({ node, drains = [], problem }: Result): string {
  if (problem !== undefined) return `${node}: ${problem}`;
  if (drains.length === 0) return `${node}: takes work`;
  return `${node}: ${drains.map(drainWords).join("; ")}`;
}
