/** How all nodes are, from the cache where it is fresh. */
import type { Clock } from "../core/clock.ts";
import type { TransportPool } from "../transport/transport.ts";
import type { HealthCache } from "./cluster.ts";
import type { HealthConfig } from "./config.ts";
import type { Node, NodeFacts, NodeHealth } from "./node.ts";
import type { Placements } from "./placements.ts";
import { probeNode, type ProbeRow } from "./probe_node.ts";
import { loadRows, saveRow } from "./row_cache.ts";
import { scoreNode } from "./score.ts";
import { SharedWork } from "./shared_work.ts";

export interface HealthDeps {
  readonly config: HealthConfig;
  readonly pool: TransportPool;
  readonly cache: HealthCache;
  readonly clock: Clock;
  readonly placements: Pick<Placements, "points">;
}

export interface CheckOptions {
  /** Rows older than this are asked for again; 0 asks always. */
  readonly maxAgeMs: number;
  readonly signal?: AbortSignal | undefined;
}

export interface HealthCheck {
  /** One row per node, in the same order. */
  check(nodes: readonly Node[], options: CheckOptions): Promise<readonly NodeHealth[]>;
}

/** A node that is down may be up again soon; its row is trusted for a part of the interval only. */
const DOWN_SHARE = 0.25;
/** Looks that follow each other, as while waiting or watching, ask only for what moves quickly. */
const STANDING_MS = 60_000;

interface Look {
  readonly row: ProbeRow;
  /** On the monotonic clock. */
  readonly since: number;
}

export function createHealthCheck(deps: HealthDeps): HealthCheck {
  const { config, pool, cache, clock, placements } = deps;
  const looks = new Map<Node, Look>();
  /** When this process asked each node last. */
  const asked = new Map<Node, Look>();

  /** By the time that passed, where we know it: only others' answers have nothing but a date. */
  function ageOf(node: Node, row: ProbeRow): number {
    const own = asked.get(node);
    return own?.row.at === row.at ? clock.monotonic() - own.since : clock.now() - row.at;
  }

  /** Cores, memory and disk of a look that was not brief, while they may be taken as they were. */
  function known(node: Node): NodeFacts | undefined {
    const look = looks.get(node);
    return look && clock.monotonic() - look.since < STANDING_MS ? look.row.facts : undefined;
  }

  /** Steps that start together ask each node once. */
  const probes = new SharedWork<Node, ProbeRow>(async (node, signal) => {
    const standing = known(node);
    const row = await probeNode(node, {
      transport: pool.transport(node.endpoint),
      timeoutMs: config.timeoutMs,
      now: () => clock.now(),
      signal,
      known: standing,
    });
    const look = { row, since: clock.monotonic() };
    asked.set(node, look);
    if (row.status !== "ok") looks.delete(node);
    else if (standing === undefined) looks.set(node, look);
    saveRow(cache, node, row);
    return row;
  });

  async function check(nodes: readonly Node[], options: CheckOptions) {
    const now = clock.now();
    const cached = loadRows(cache, { nodes, now });
    const isFresh = ([node, row]: readonly [Node, ProbeRow]) =>
      ageOf(node, row) < options.maxAgeMs * (row.status === "ok" ? 1 : DOWN_SHARE);
    const fresh = new Map([...cached].filter(isFresh));
    const stale = nodes.filter((node) => !fresh.has(node));
    const probed = new Map<Node, ProbeRow>();
    await eachOf(stale, {
      atOnce: config.maxWorkers,
      work: async (node) => void probed.set(node, await probes.get(node, options.signal)),
    });
    return describe(nodes, { fresh, probed });
  }

  function describe(
    nodes: readonly Node[],
    rows: {
      readonly fresh: ReadonlyMap<Node, ProbeRow>;
      readonly probed: ReadonlyMap<Node, ProbeRow>;
    },
  ): NodeHealth[] {
    const points = placements.points(nodes);
    return nodes.flatMap((node) => {
      const row = rows.probed.get(node) ?? rows.fresh.get(node);
      if (row === undefined) return [];
      const fromCache = !rows.probed.has(node);
      return [healthOf(node, { row, fromCache, placed: points.get(node) ?? 0, config })];
    });
  }

  return { check };
}

interface HealthOfOptions {
  readonly row: ProbeRow;
  readonly fromCache: boolean;
  readonly placed: number;
  readonly config: HealthConfig;
}

function healthOf(node: Node, { row, fromCache, placed, config }: HealthOfOptions): NodeHealth {
  const { facts } = row;
  const scored = facts && scoreNode({ node, facts, weights: config });
  return {
    node: node.name,
    fromCache,
    ...row,
    score: row.status === "ok" ? scored?.score : undefined,
    cpuPercent: scored?.cpuPercent,
    gpuPercent: scored?.gpuPercent,
    placed,
    ...(scored && { parts: scored.parts }),
  };
}

interface EachOptions {
  readonly atOnce: number;
  readonly work: (node: Node) => Promise<void>;
}

/** All nodes, at most `atOnce` at the same time; the first failure ends it. */
async function eachOf(nodes: readonly Node[], options: EachOptions): Promise<void> {
  const queue = nodes.values();
  const worker = async () => {
    for (const node of queue) await options.work(node);
  };
  await Promise.all(Array.from({ length: Math.min(options.atOnce, nodes.length) }, worker));
}
