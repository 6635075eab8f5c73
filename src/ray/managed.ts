/** A Ray cluster of Grid's own: what `grid cluster` does. */
import { GridError, toGridError } from "../core/errors.ts";
import type { OpenNode } from "../cluster/node.ts";
import type { RayCluster, RayClusterStatus, RayNodeStatus, RayOptions } from "./lifecycle.ts";
import { lockCluster } from "./cluster_lock.ts";
import { startCluster } from "./cluster_start.ts";
import { type RayBook, readBook } from "./members.ts";
import { stopNode } from "./node_lifecycle.ts";
import {
  bareStatus,
  failedStatus,
  memberStatus,
  recordStatus,
  type Role,
  silentStatus,
} from "./node_verdict.ts";
import { type RaySession, readSession } from "./session.ts";

export function createRayCluster(): RayCluster {
  return { start: startCluster, stop, status };
}

async function stop(options: RayOptions): Promise<readonly RayNodeStatus[]> {
  const { nodes, signal } = options;
  const head = options.reached.find(({ node }) => node.name === options.headName);
  await using _lock = head && await lockCluster(head, signal);
  const found = await Promise.all(nodes.map((node) => sessionOf(node, signal)));
  const stopAll = (role: Role) =>
    Promise.all(found.map(async ({ node, session, failure }) => {
      if (failure || session?.role !== role) return undefined;
      try {
        await stopNode(node, signal);
      } catch (error) {
        return toGridError(error);
      }
    }));
  const workers = await stopAll("worker");
  const heads = await stopAll("head");
  return found.map(({ node, session, failure }, index) => {
    const role = session?.role ?? roleOf(node, options);
    const problem = failure ?? workers[index] ?? heads[index];
    return problem ? failedStatus(node, role, problem) : bareStatus(node, role, "stopped");
  });
}

async function status(options: RayOptions): Promise<RayClusterStatus> {
  const { nodes, reached, headName, signal } = options;
  const head = reached.find(({ node }) => node.name === headName);
  const asked = head === undefined || nodes.includes(head) ? nodes : [...nodes, head];
  const found = await Promise.all(asked.map((node) => sessionOf(node, signal)));
  const headSession = found.find(({ node }) => node === head)?.session;
  const book = head && headSession?.lives ? await bookOf(head, headSession, signal) : undefined;
  const rows = found.filter(({ node }) => nodes.includes(node)).map(
    ({ node, session, failure }): RayNodeStatus => {
      const role = roleOf(node, options);
      if (failure) return failedStatus(node, role, failure);
      const bare = recordStatus(node, role, { session, head: headSession });
      if (bare) return bare;
      if (book === undefined || book instanceof GridError) {
        return silentStatus(node, role, book ?? new GridError({ code: "ray", message: "" }));
      }
      return { ...memberStatus(node, role, book.members), memory: session?.memory };
    },
  );
  return { nodes: rows, holders: book && !(book instanceof GridError) ? book.holders : [] };
}

async function bookOf(
  head: OpenNode,
  session: RaySession,
  signal: AbortSignal,
): Promise<RayBook | GridError> {
  try {
    return await readBook(head, session, { signal });
  } catch (error) {
    signal.throwIfAborted();
    return toGridError(error);
  }
}

interface FoundSession {
  readonly node: OpenNode;
  readonly session?: RaySession | undefined;
  readonly failure?: GridError;
}

async function sessionOf(node: OpenNode, signal: AbortSignal): Promise<FoundSession> {
  try {
    return { node, session: await readSession(node, signal) };
  } catch (error) {
    signal.throwIfAborted();
    return { node, failure: toGridError(error) };
  }
}

function roleOf({ node }: OpenNode, { headName }: RayOptions): Role {
  return node.name === headName ? "head" : "worker";
}
