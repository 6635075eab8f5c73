/** In which order those go who wait for GPUs of a node. */
import type { NodeWork, Waiting } from "./claim.ts";
import { isGangTicket } from "./gang_ticket.ts";

/**
 * The oldest first, but by turns: whose run has a GPU here already, or stands before itself in the line,
 * comes after those that have less. So a run of many small steps does not hold up everybody for as long
 * as it takes, whoever came first.
 */
export function lineOrder({ claims, line }: NodeWork): readonly Waiting[] {
  const has = heldBy(claims);
  const ranked = line.toSorted((a, b) => b.ageMs - a.ageMs).map((waiting) => {
    const key = runOf(waiting);
    const rank = has.get(key) ?? 0;
    has.set(key, rank + 1);
    return { waiting, rank };
  });
  return gangsInOrder(ranked.toSorted((a, b) => a.rank - b.rank).map(({ waiting }) => waiting));
}

/**
 * Who waits for several nodes together stands in the lines of all of them: there, gangs go in one order
 * everywhere, that of their names. Else each of two could be first where the other is not, for ever.
 */
function gangsInOrder(order: readonly Waiting[]): readonly Waiting[] {
  const gangs = order.filter(({ id }) => isGangTicket(id)).toSorted((a, b) => a.id < b.id ? -1 : 1);
  if (gangs.length < 2) return order;
  const next = gangs.values();
  return order.map((waiting) => isGangTicket(waiting.id) ? next.next().value ?? waiting : waiting);
}

/** Those that go before somebody who has just come, of this run and account. */
export function beforeNewcomer(work: NodeWork, run: string | undefined): readonly Waiting[] {
  const { claims, line } = work;
  const isOwn = (each: Pick<Waiting, "isOwn" | "run">) => each.isOwn && each.run === run;
  const newcomer: Waiting = {
    isOwn: true,
    account: line.find(isOwn)?.account ?? claims.find(isOwn)?.account ?? "",
    ageMs: -1,
    lastsMs: undefined,
    run: run ?? "",
    step: "",
    project: "",
    owner: "",
    id: "",
    gpus: 1,
    minFreeVramBytes: undefined,
    model: undefined,
  };
  const order = lineOrder({ ...work, line: [...line, newcomer] });
  return order.slice(0, order.indexOf(newcomer));
}

/** Pieces of work with GPUs, by run; a hold and its jobs are one. */
function heldBy(claims: NodeWork["claims"]): Map<string, number> {
  const groups = new Map<string, Set<string>>();
  for (const claim of claims) {
    if (claim.gpus.length === 0) continue;
    const key = runOf(claim);
    groups.set(key, (groups.get(key) ?? new Set()).add(claim.group));
  }
  return new Map([...groups].map(([key, { size }]) => [key, size]));
}

function runOf({ account, run }: Pick<Waiting, "account" | "run">): string {
  return `${account} ${run}`;
}
