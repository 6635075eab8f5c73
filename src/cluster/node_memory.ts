/** What is remembered of a node from look to look: how it was, and which cards it had. */
import type { GpuFacts, MissingGpu, NodeFacts, PastLook } from "./node.ts";

/** A card that a node has shown. */
export interface KnownCard {
  readonly uuid: string;
  readonly name: string | undefined;
  readonly index: number;
  /** Milliseconds since the Unix epoch. */
  readonly seenAt: number;
}

export interface NodeMemory {
  /** The oldest first. */
  readonly looks: readonly PastLook[];
  readonly cards: readonly KnownCard[];
}

export interface LookedAt {
  readonly at: number;
  /** Undefined where the node could not be used. */
  readonly score: number | undefined;
  readonly facts: NodeFacts | undefined;
}

export const NO_MEMORY: NodeMemory = { looks: [], cards: [] };

/** As many as a narrow column shows. */
const LOOKS = 12;
/** A card that was taken out on purpose is not named for ever. */
const CARD_MS = 7 * 24 * 3_600_000;
/** More than any machine has; what a node says is bounded. */
const CARDS = 128;

/** The memory after one more look. */
export function remember(before: NodeMemory = NO_MEMORY, look: LookedAt): NodeMemory {
  const { at, score } = look;
  const looks = [...before.looks.filter((past) => past.at < at), { at, score }].slice(-LOOKS);
  return { looks, cards: cardsAfter(before.cards, look) };
}

function cardsAfter(known: readonly KnownCard[], { at, facts }: LookedAt): readonly KnownCard[] {
  if (facts === undefined || facts.gpuTool === "failed") return known;
  const seen = cardsIn(facts.gpus, at);
  const others = known.filter((card) =>
    at - card.seenAt < CARD_MS && !seen.some(({ uuid }) => uuid === card.uuid)
  );
  // As many as ever: those that are not there any more were replaced.
  const kept = facts.gpus.length >= known.length ? [] : others;
  return [...seen, ...kept].slice(0, CARDS);
}

function cardsIn(gpus: readonly GpuFacts[], at: number): KnownCard[] {
  return gpus.flatMap(({ uuid, name, index }) =>
    uuid === undefined ? [] : [{ uuid, name, index, seenAt: at }]
  );
}

/** Cards that were there and are not any more; one that is there without its name is not missing. */
export function missingGpus(
  { cards }: NodeMemory,
  { at, facts }: Pick<LookedAt, "at" | "facts">,
): readonly MissingGpu[] {
  if (facts === undefined || facts.gpuTool === "failed") return [];
  const nameless = new Set(
    facts.gpus.filter(({ uuid }) => uuid === undefined).map(({ index }) => index),
  );
  return cards
    .filter(({ seenAt, index }) => seenAt < at && !nameless.has(index))
    .map(({ uuid, name, index, seenAt }) => ({ uuid, name, index, seenAt }));
}

/** Undefined for anything else than what was written. */
export function readMemory(value: unknown): NodeMemory | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const { looks, cards } = value as Record<string, unknown>;
  if (!Array.isArray(looks) || !Array.isArray(cards)) return undefined;
  return {
    looks: looks.filter(isLook).map(({ at, score }) => ({ at, score: score ?? undefined })),
    cards: cards.filter(isCard),
  };
}

function isLook(value: unknown): value is PastLook {
  const { at, score } = Object(value);
  return typeof at === "number" && (score === undefined || typeof score === "number");
}

function isCard(value: unknown): value is KnownCard {
  const { uuid, name, index, seenAt } = Object(value);
  return typeof uuid === "string" && typeof index === "number" && typeof seenAt === "number" &&
    (name === undefined || typeof name === "string");
}
