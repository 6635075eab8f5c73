/** The barrier before a gang: all of its jobs made and held, then one release. */
import type { OpenNode } from "../cluster/node.ts";
import { isTaken } from "../cluster/gang_port.ts";
import { GridError } from "../core/errors.ts";
import type { StepHost, StepOutcome } from "../engine/ports.ts";
import type { Gang } from "../pipeline/gang.ts";
import { mayHaveStarted } from "../transport/job/job_start.ts";
import type { GangEnding } from "./gang_ending.ts";
import type { GangPlace } from "./gang_place.ts";
import type { Rank } from "./gang_rank.ts";
import { notReady } from "./gang_words.ts";
import { gpuLost, isGpuLost } from "./gpu_claim.ts";
import { failed } from "./run_failure.ts";
import type { TreeGate } from "./tree_gate.ts";

/** Between two looks at ranks that are still getting ready. */
const READY_LOOK_MS = 100;

/** Nothing of it has run, and another choice of nodes may go better. */
export interface Again {
  readonly again: StepOutcome;
  /** Where not to go. */
  readonly avoid: readonly string[];
}

export interface BarrierOptions {
  readonly place: GangPlace;
  readonly gang: Gang;
  readonly host: StepHost;
  readonly ending: GangEnding;
  /** Lets a command start only in its own run's code. */
  readonly gate: (node: OpenNode) => TreeGate;
  /** Of the host, or `late`. */
  readonly signal: AbortSignal;
  /** All should have been ready. */
  readonly late: AbortSignal;
}

/** All jobs made and held, then all released at once; an outcome where that did not come about. */
export async function holdAll(
  ranks: readonly Rank[],
  options: BarrierOptions,
): Promise<StepOutcome | Again | undefined> {
  const { place, signal, late, host, gang, ending } = options;
  // Whoever gives up must know of all that were started.
  const starts = await Promise.allSettled(ranks.map((rank) => rank.start()));
  for (const [index, start] of starts.entries()) {
    const rank = ranks[index];
    if (start.status === "fulfilled" || rank === undefined) continue;
    if (mayHaveStarted(start.reason)) ending.rememberLost(rank);
  }
  const unstarted = starts.find((start) => start.status === "rejected");
  if (unstarted) throw unstarted.reason;
  const ready = new Set<Rank>();
  const early = Promise.race(ranks.map(async (rank) => {
    await rank.follow();
    return rank;
  }));
  const all = allReady(ranks, ready, { host, signal });
  const ended = await Promise.race([early, all.then(() => undefined, () => undefined)]);
  if (ended !== undefined) return await endedEarly(ended, ranks, options);
  if (host.signal.aborted) return await ending.cancelled(ranks);
  if (late.aborted) {
    const missing = ranks.filter((rank) => !ready.has(rank));
    await ending.endAll(ranks, undefined);
    const avoid = missing.map(({ node }) => node.node.name);
    return { again: notReady(missing, gang.startWithinMs), avoid };
  }
  await all;
  const [main] = place.nodes;
  if (main && await isTaken(main, place.world.port, signal)) {
    await ending.endAll(ranks, undefined);
    const error = new GridError({
      code: "conflict",
      message: `Cannot start on many nodes: port ${place.world.port} of "${main.node.name}" ` +
        "was taken in the meantime",
      node: main.node.name,
    });
    return { again: failed(error, { node: main, started: false }), avoid: [] };
  }
  await Promise.all(ranks.map((rank) => rank.release()));
  return undefined;
}

async function allReady(
  ranks: readonly Rank[],
  ready: Set<Rank>,
  { host: { clock }, signal }: Pick<BarrierOptions, "host" | "signal">,
): Promise<void> {
  await Promise.all(ranks.map(async (rank) => {
    while (!await rank.isReady(signal)) await clock.sleep(READY_LOOK_MS, { signal });
    ready.add(rank);
  }));
}

/** One could not even stand ready: others took its GPUs, its code is not the run's, or it is out of reach. */
async function endedEarly(
  rank: Rank,
  ranks: readonly Rank[],
  { ending, host, gate }: BarrierOptions,
): Promise<StepOutcome | Again> {
  await ending.endAll(ranks, undefined);
  if (host.signal.aborted) return await ending.cancelled(ranks);
  const { node, job, end } = rank;
  if (end === undefined || job === undefined) throw new Error("it has not ended");
  if ("error" in end) return failed(end.error, { node, started: false });
  const { exit } = end;
  if (await isGpuLost(job, { exit, node })) {
    return { again: failed(gpuLost(node), { node, started: false }), avoid: [] };
  }
  const denied = await gate(node).denial(job, exit);
  if (denied) return failed(denied, { node, started: false });
  const error = new GridError({
    code: "step-failed",
    message: `Cannot start on many nodes: ${rank.name} ended before it was ready`,
    node: node.node.name,
  });
  return failed(error, { node, started: false });
}
