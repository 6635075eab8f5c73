/** From a choice to a place: what the node and others are told, and what they say to it. */
import type { Candidate } from "./node_choice.ts";
import { wordOf } from "./claim.ts";
import type { HealthConfig } from "./config.ts";
import type { Crew } from "./crew.ts";
import type { HealthCheck } from "./health.ts";
import { claimKey } from "./claim_key.ts";
import type { JobWords } from "./claim_wish.ts";
import type { GpuFacts, Node } from "./node.ts";
import { othersPoints, weightOf } from "./others.ts";
import { placeOf } from "./presence.ts";
import type { NodeSelector } from "./node_selector.ts";

/** How often a choice gives way to others. */
export const MOST_MOVES = 4;
/** Others hear of a burst at its beginning, and as it goes on. */
const ANNOUNCE_MS = 1000;

interface SettleDeps {
  readonly config: HealthConfig;
  readonly health: HealthCheck;
  readonly crew: Crew;
}

interface Request {
  readonly selector: NodeSelector;
  readonly signal?: AbortSignal | undefined;
}

interface HoldRequest extends Request {
  readonly node: Node;
  readonly gpus: readonly GpuFacts[];
  readonly holder: string;
  readonly group: string;
  readonly words: JobWords;
  /** Its place in the line, where it had one. */
  readonly ticket: string;
}

/** From now on nobody else gets these GPUs. Where somebody was faster, the node is looked at again. */
export async function hold({ crew, health }: SettleDeps, request: HoldRequest): Promise<boolean> {
  const { node, holder, group, words, selector, signal, ticket } = request;
  try {
    const wish = { ...selector, group, words };
    const held = await crew.holds.take(node, { holder, wish, gpus: request.gpus, signal });
    if (held !== undefined) {
      const keys = held.map(claimKey);
      const { gpus, share } = selector;
      crew.placements.add({ node, holder, group, gpus, share, keys });
      crew.keepUp();
      crew.presence.leave(ticket);
      crew.presence.served(words.run);
      return true;
    }
  } catch (error) {
    crew.release(holder);
    throw error;
  }
  await health.check([node], { maxAgeMs: 0, signal });
  return false;
}

interface MoveRequest {
  readonly chosen: Candidate;
  /** There is another node to go to. */
  readonly others: boolean;
  readonly round: number;
}

/**
 * Says on the node that something is about to start there, and hears who else has said so before. Of several
 * who choose at the same moment the first stays, and the others look whether another node is better now.
 */
export async function isStillBest(deps: SettleDeps, request: MoveRequest): Promise<boolean> {
  const { crew, health, config } = deps;
  const { chosen, others, round } = request;
  const { node } = chosen;
  const { presence, placements } = crew;
  if (presence.isToldOn(node) && presence.ageOn(node) < ANNOUNCE_MS) return true;
  const before = health.others(node);
  crew.keepUp();
  const telling = presence.tell(node).catch(() => undefined);
  if (!others || round >= MOST_MOVES) return true;
  const work = await telling;
  if (work === undefined) return true;
  const own = work.given.find(({ owner }) => owner === placements.owner);
  const now = othersPoints(work, {
    owner: placements.owner,
    place: wordOf(placeOf(node)),
    weights: config,
    ageMs: 0,
    sinceMs: own?.ageMs,
  });
  return now - before < weightOf(0, config) / 2;
}
