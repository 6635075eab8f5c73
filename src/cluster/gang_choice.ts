/** Which nodes a gang takes together: pure, so that every rule can be tested without a node. */
import { type Candidate, choose, type ChooseOptions, type PassedOver } from "./node_choice.ts";
import { modelOf } from "./gpu_choice.ts";
import { claimKey } from "./claim_key.ts";
import type { GpuFacts, Node } from "./node.ts";
import { otherNames, type Twin } from "./shared_home.ts";

export interface GangWish extends ChooseOptions {
  /** Nodes, all or none. */
  readonly count: number;
  /** All GPUs of all of them are of one model. */
  readonly sameModel: boolean;
}

export interface Chosen {
  readonly candidate: Candidate;
  /** The best first; as many as wanted, or more. */
  readonly gpus: readonly GpuFacts[];
}

export interface GangChoice {
  /** As many as wanted; undefined where so many cannot be had together now. */
  readonly chosen: readonly Chosen[] | undefined;
  /** Nodes that could be taken now. */
  readonly fitting: number;
  readonly passedOver: readonly PassedOver[];
}

export function chooseGang(candidates: readonly Candidate[], wish: GangWish): GangChoice {
  if (!wish.sameModel || wish.selector.gpus === 0) return choiceAmong(candidates, wish);
  const models = modelsOf(candidates);
  const choices = models.map((model) => choiceAmong(candidates.map(ofModel(model)), wish));
  const score = ({ chosen = [] }: GangChoice) =>
    chosen.reduce((sum, { candidate }) => sum + (candidate.health.score ?? 0), 0);
  const [best] = choices.filter(({ chosen }) => chosen !== undefined)
    .toSorted((a, b) => score(a) - score(b));
  if (best !== undefined) return best;
  const [most] = choices.toSorted((a, b) => able(b) - able(a) || b.fitting - a.fitting);
  return most ?? choiceAmong(candidates, wish);
}

/** Nodes that may have room at some time. */
function able({ fitting, passedOver }: GangChoice): number {
  return fitting + passedOver.filter(({ isFinal }) => !isFinal).length;
}

function choiceAmong(candidates: readonly Candidate[], wish: GangWish): GangChoice {
  const chosen: Chosen[] = [];
  const rows = candidates.map(({ health }) => health);
  let left = candidates;
  for (;;) {
    const choice = choose(left, wish);
    const { chosen: one } = choice;
    if (one !== undefined && chosen.length < wish.count) {
      chosen.push({ candidate: one, gpus: choice.gpus });
      const { name } = one.node;
      const gone = new Set([name, ...otherNames(rows, [name]).map(({ node }) => node)]);
      left = left.filter(({ node }) => !gone.has(node.name));
      continue;
    }
    const isWhole = chosen.length === wish.count;
    return {
      chosen: isWhole ? chosen : undefined,
      fitting: chosen.length,
      passedOver: onceEach(choice.passedOver, { rows, chosen }),
    };
  }
}

/** Two ranks are never on one machine: of its names one was taken, or is the one to wait for. */
function onceEach(
  passedOver: readonly PassedOver[],
  { rows, chosen }: {
    readonly rows: readonly Candidate["health"][];
    readonly chosen: readonly Chosen[];
  },
): readonly PassedOver[] {
  const taken = chosen.map(({ candidate }) => candidate.node.name);
  const open = passedOver.filter(({ isFinal }) => !isFinal).map(({ node }) => node);
  const twins = otherNames(rows, [...taken, ...open]);
  const names = new Set(twins.map(({ node }) => node));
  return [...passedOver.filter(({ node }) => !names.has(node)), ...twins.map(passedOverTwin)];
}

/** Why a name is none of the nodes of a gang. */
export function passedOverTwin({ node, sameAs }: Twin): PassedOver {
  return { node, reason: `it is ${sameAs} by another name`, isFinal: true };
}

function modelsOf(candidates: readonly Candidate[]): readonly string[] {
  const all = candidates.flatMap(({ health }) => health.facts?.gpus ?? []).map(modelOf);
  return [...new Set(all)].toSorted();
}

function ofModel(model: string): (candidate: Candidate) => Candidate {
  return (candidate) => {
    const { facts } = candidate.health;
    if (facts === undefined) return candidate;
    const gpus = facts.gpus.filter((gpu) => modelOf(gpu) === model);
    return { ...candidate, health: { ...candidate.health, facts: { ...facts, gpus } } };
  };
}

/**
 * The one order in which all gangs of all runners take nodes, so that of two that want the same ones at the
 * same moment one gets them.
 */
export function inTakingOrder(chosen: readonly Chosen[]): readonly Chosen[] {
  const key = ({ candidate: { node } }: Chosen) => identityOf(node);
  return chosen.toSorted((a, b) => key(a) < key(b) ? -1 : 1);
}

/** The same for whoever has the node in its config, whatever its name there. */
function identityOf({ endpoint, remoteRoot, name }: Node): string {
  const { transport, host, port } = endpoint;
  return transport === "local" ? `local ${remoteRoot}` : `${host ?? name} ${port ?? 22}`;
}

export function heldKeys(gpus: readonly GpuFacts[]): readonly string[] {
  return gpus.map(claimKey);
}
