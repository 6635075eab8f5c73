/** What a row says to people: its score, its GPUs in short, what is amiss. */
import type { HealthConfig } from "./config.ts";
import { deviceRemarks } from "./cures.ts";
import { foldGpus } from "./gpu_fold.ts";
import { keptGpus } from "./gpu_turn.ts";
import type { Node, NodeHealth } from "./node.ts";
import { missingGpus } from "./node_memory.ts";
import type { ProbeRow } from "./probe_node.ts";
import { scoreNode } from "./score.ts";

interface SeenRow {
  readonly row: ProbeRow;
  readonly fromCache: boolean;
  /** Points of what is under way there. */
  readonly placed: number;
}

interface SeenBy {
  readonly config: HealthConfig;
}

/** A choice looks at all rows each time that one comes; what a row says is found out once. */
export class HealthRows {
  readonly #config: HealthConfig;
  readonly #known = new WeakMap<ProbeRow, NodeHealth>();

  constructor(config: HealthConfig) {
    this.#config = config;
  }

  of(node: Node, { row, fromCache, placed }: SeenRow): NodeHealth {
    const known = this.#known.get(row);
    if (known?.node === node.name && known.fromCache === fromCache) {
      if (known.placed === placed) return known;
      return { ...known, placed };
    }
    const health = healthOf(node, { row, fromCache, placed, config: this.#config });
    this.#known.set(row, health);
    return health;
  }
}

/** Undefined where the node could not be used, unlike one that was drained. */
export function rememberedScore(
  node: Node,
  { row: { status, facts }, config }: Pick<SeenRow, "row"> & SeenBy,
): number | undefined {
  const answersWell = status === "ok" || facts?.drains !== undefined;
  return answersWell && facts ? scoreNode({ node, facts, weights: config }).score : undefined;
}

function healthOf(
  node: Node,
  { row: { memory, ...row }, fromCache, placed, config }: SeenRow & SeenBy,
): NodeHealth {
  const { facts } = row;
  const scored = facts && scoreNode({ node, facts, weights: config });
  const missing = memory === undefined ? [] : missingGpus(memory, row);
  return {
    node: node.name,
    fromCache,
    ...row,
    score: row.status === "ok" ? scored?.score : undefined,
    cpuPercent: scored?.cpuPercent,
    gpuPercent: scored?.gpuPercent,
    placed,
    ...(scored && { parts: scored.parts }),
    ...(facts && {
      gpuGroups: foldGpus(node, facts),
      remarks: deviceRemarks({ node, facts, missing }),
    }),
    missingGpus: missing,
    keptGpus: facts === undefined ? [] : keptGpus(node, facts).map(({ index }) => index),
    looks: memory?.looks ?? [],
  };
}
