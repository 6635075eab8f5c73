/** Chooses a node, waiting for one where the caller allows it. */
import type { Clock } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import { formatDuration } from "../core/duration.ts";
import { choose, type PassedOver, ruledOut } from "./choose.ts";
import type { Placement, SelectOptions } from "./cluster.ts";
import type { HealthConfig } from "./config.ts";
import type { HealthCheck } from "./health.ts";
import type { Node } from "./node.ts";
import { passedOverWords } from "./passed_over.ts";
import type { Placements } from "./placements.ts";
import type { NodeSelector } from "./select.ts";

export interface SelectDeps {
  readonly config: HealthConfig;
  readonly health: HealthCheck;
  readonly placements: Placements;
  readonly clock: Clock;
  readonly random: () => number;
}

/** Between two looks at nodes that are all taken: soon at first, then with less haste. */
const FIRST_POLL_MS = 500;
const LONGEST_POLL_MS = 5000;
/** A choice from older facts is verified by asking the chosen node again. */
const VERIFY_AGE_MS = 10_000;
/** Free GPUs are taken by other people at any moment. */
const VERIFY_GPU_AGE_MS = 1000;

interface SelectRequest extends SelectOptions {
  readonly selector: NodeSelector;
  readonly nodes: readonly Node[];
}

/** @throws {GridError} `no-node` with every node's reason */
export async function selectNode(deps: SelectDeps, request: SelectRequest): Promise<Placement> {
  const { selector, signal } = request;
  const { clock } = deps;
  const deadline = clock.monotonic() + selector.waitMs;
  let pollMs = FIRST_POLL_MS;
  for (let maxAgeMs = deps.config.refreshIntervalMs;; maxAgeMs = 0) {
    const tried = await tryOnce(deps, request, maxAgeMs);
    if ("node" in tried) return tried;
    // "Nothing fits" must not rest on what was true a minute ago.
    if (tried.fromCache) continue;
    const left = deadline - clock.monotonic();
    if (left <= 0 || tried.reasons.every(({ isFinal }) => isFinal)) {
      throw noNode(tried.reasons, selector.waitMs);
    }
    await clock.sleep(Math.min(pollMs, left), { signal });
    pollMs = Math.min(2 * pollMs, LONGEST_POLL_MS);
  }
}

interface Refusal {
  readonly reasons: readonly PassedOver[];
  /** Whether any reason rests on an older answer. */
  readonly fromCache: boolean;
}

async function tryOnce(
  deps: SelectDeps,
  request: SelectRequest,
  maxAgeMs: number,
): Promise<Placement | Refusal> {
  const { config, health, placements, clock, random } = deps;
  const { selector, signal, avoid = [], holder, group } = request;
  const unfit = request.nodes.flatMap((node) => ruledOut(node, selector) ?? []);
  const nodes = request.nodes.filter((node) => ruledOut(node, selector) === undefined);
  let age = maxAgeMs;
  // Each round asks at least one more node anew, so this ends after as many rounds as there are nodes.
  for (let round = 0; round <= nodes.length; round++) {
    const rows = await health.check(nodes, { maxAgeMs: age, signal });
    age = Number.POSITIVE_INFINITY;
    // Read now, not when the rows came: from here to the placement nobody else gets a turn.
    const points = placements.points(nodes);
    const candidates = rows.flatMap((health, index) => {
      const node = nodes[index];
      if (node === undefined) return [];
      const gpus = placements.promisedGpus(node, health.facts?.gpus ?? [], group);
      return [{ node, health, placed: { points: points.get(node) ?? 0, gpus } }];
    });
    const { chosen, passedOver } = choose(candidates, {
      selector,
      weights: config,
      avoid,
      random,
    });
    if (chosen === undefined) {
      const fromCache = maxAgeMs > 0 && rows.some((row) => row.fromCache);
      return { reasons: [...unfit, ...passedOver], fromCache };
    }
    const patience = selector.gpus > 0 ? VERIFY_GPU_AGE_MS : VERIFY_AGE_MS;
    const ageMs = clock.now() - chosen.health.at;
    // An answer of the future is one from before the clock was set back.
    if (ageMs < 0 || ageMs > patience) {
      await health.check([chosen.node], { maxAgeMs: 0, signal });
      continue;
    }
    if (holder !== undefined) {
      placements.add({ node: chosen.node, holder, group, gpus: selector.gpus });
    }
    return {
      node: chosen.node.name,
      health: chosen.health,
      passedOver: [...unfit, ...passedOver].map(({ node, reason }) => ({ node, reason })),
    };
  }
  return { reasons: unfit, fromCache: false };
}

function noNode(reasons: readonly PassedOver[], waitMs: number): GridError {
  const waited = waitMs > 0 ? ` within ${formatDuration(waitMs)}` : "";
  const mayPass = reasons.some(({ isFinal }) => !isFinal);
  return new GridError({
    code: "no-node",
    message: `Cannot choose a node${waited}: ${passedOverWords(reasons)}`,
    hint: mayPass && waitMs === 0
      ? "wait for one with wait: 30m in the selector, or see grid health --explain"
      : "see grid health --explain, and the labels and gpus of the cluster config",
  });
}
