/**
 * What the claims and places in line of a gang say of themselves, so that others see why they stand on several
 * nodes: its step, with the number of nodes, and which rank it is. Pure.
 */

export interface GangStep {
  readonly step: string;
  /** Of a step on many nodes: how many it wants. */
  readonly nodes?: number;
  /** Which one this is, from 0; absent before the nodes are chosen. */
  readonly rank?: number;
}

/** The words in a claim; no id of a step holds a comma and a space. */
export function gangStepWords({ step, nodes, rank }: GangStep): string {
  return rank === undefined ? `${step}, ${nodes} nodes` : `${step}, rank ${rank} of ${nodes} nodes`;
}

/** @param words of a claim, of a gang or not */
export function readGangStep(words: string): GangStep {
  const [, step, rank, nodes] = /^(.+), (?:rank (\d{1,4}) of )?(\d{1,4}) nodes$/.exec(words) ?? [];
  if (step === undefined) return { step: words };
  return { step, nodes: Number(nodes), ...(rank !== undefined && { rank: Number(rank) }) };
}
