/** Chooses a node, waiting for one where the caller allows it. */
import type { Clock } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import { formatDuration } from "../core/duration.ts";
import { type Candidate, choose, type PassedOver, ruledOut } from "./choose.ts";
import type { Placement, SelectOptions } from "./cluster.ts";
import type { HealthConfig } from "./config.ts";
import type { HealthCheck } from "./health.ts";
import type { Node, NodeHealth } from "./node.ts";
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
/** How much longer nodes may take on a second look, where on the first none has answered. */
const PATIENT_FACTOR = 3;
/** A choice from older facts is verified by asking the chosen node again. */
const VERIFY_AGE_MS = 10_000;
/** Free GPUs are taken by other people at any moment. */
const VERIFY_GPU_AGE_MS = 1000;

interface SelectRequest extends SelectOptions {
  readonly selector: NodeSelector;
  readonly nodes: readonly Node[];
  /** How long each node may take to answer; default `health_check.timeout`. */
  readonly timeoutMs?: number | undefined;
}

/** @throws {GridError} `no-node` with every node's reason */
export async function selectNode(deps: SelectDeps, request: SelectRequest): Promise<Placement> {
  const { selector, signal } = request;
  const { clock } = deps;
  const deadline = clock.monotonic() + selector.waitMs;
  let pollMs = FIRST_POLL_MS;
  for (let maxAgeMs = deps.config.refreshIntervalMs;; maxAgeMs = 0) {
    let tried = await tryOnce(deps, request, maxAgeMs);
    // "Nothing fits" must not rest on what was true a minute ago.
    if (!("node" in tried) && tried.fromCache) continue;
    if (!("node" in tried) && tried.isSilence) {
      // All of them at once: rather this machine or its network is slow.
      const timeoutMs = PATIENT_FACTOR * deps.config.timeoutMs;
      tried = await tryOnce(deps, { ...request, timeoutMs }, 0);
      if (!("node" in tried) && tried.isSilence) throw nobodyAnswered(tried.reasons, timeoutMs);
    }
    if ("node" in tried) return tried;
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
  /** No node that was asked has answered at all. */
  readonly isSilence: boolean;
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
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const rules = { selector, weights: config, avoid, random };
  /** With what is placed on the nodes now, not when the rows came. */
  const paired = (rows: readonly NodeHealth[]): Candidate[] => {
    const points = placements.points(nodes);
    return rows.flatMap((health) => {
      const node = byName.get(health.node);
      if (node === undefined) return [];
      const gpus = placements.promisedGpus(node, health.facts?.gpus ?? [], group);
      return [{ node, health, placed: { points: points.get(node) ?? 0, gpus } }];
    });
  };
  let age = maxAgeMs;
  // Each round asks at least one more node anew, so this ends after as many rounds as there are nodes.
  for (let round = 0; round <= nodes.length; round++) {
    const rows = await health.check(nodes, {
      maxAgeMs: age,
      signal,
      timeoutMs: request.timeoutMs,
      isEnough: (rows) => choose(paired(rows), rules).chosen !== undefined,
    });
    age = Number.POSITIVE_INFINITY;
    // From here to the placement nobody else gets a turn.
    const { chosen, passedOver } = choose(paired(rows), rules);
    if (chosen === undefined) {
      const fromCache = maxAgeMs > 0 && rows.some((row) => row.fromCache);
      const isSilence = rows.length > 1 && rows.every((row) => row.isSilent);
      return { reasons: [...unfit, ...passedOver], fromCache, isSilence };
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
  return { reasons: unfit, fromCache: false, isSilence: false };
}

function nobodyAnswered(reasons: readonly PassedOver[], timeoutMs: number): GridError {
  return new GridError({
    code: "no-node",
    message: `Cannot choose a node: none of ${reasons.length} answered, not within ${
      formatDuration(timeoutMs)
    } either`,
    hint: "is this machine's network up, or this machine overloaded? look at one: ssh -v <node>",
  });
}

function noNode(reasons: readonly PassedOver[], waitMs: number): GridError {
  const waited = waitMs > 0 ? ` within ${formatDuration(waitMs)}` : "";
  const mayPass = reasons.some(({ isFinal }) => !isFinal);
  return new GridError({
    code: "no-node",
    message: `Cannot choose a node${waited}: ${passedOverWords(reasons)}`,
    hint: hintOfAll(reasons) ??
      (mayPass && waitMs === 0
        ? "wait for one with wait: 30m in the selector, or see grid health --explain"
        : "see grid health --explain, and the labels and gpus of the cluster config"),
  });
}

/** Where one thing stands in the way of all nodes, what to do about that. */
function hintOfAll(reasons: readonly PassedOver[]): string | undefined {
  const [hint, ...others] = new Set(reasons.map(({ hint }) => hint));
  return others.length === 0 ? hint : undefined;
}
