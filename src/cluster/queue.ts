/** Who holds GPUs of the nodes and who waits for them, of all accounts: the data of `grid queue`. */
import { readGangStep } from "./gang_step.ts";
import { lineOrder } from "./line_order.ts";
import type { NodeHealth } from "./node.ts";

/** Somebody in the line, or before it. */
export interface QueueEntry {
  /** Its name. */
  readonly node: string;
  /** `reserved`: a runner holds them for jobs that are still to start; a number: the place in the line. */
  readonly place: number | "holds" | "reserved";
  /** How many are held or wanted. */
  readonly gpus: number;
  /** Those that are held, by the index that `grid health` shows. */
  readonly indices: readonly number[];
  /** Part of the model's name that is asked for. */
  readonly model: string | undefined;
  /** Of the node. */
  readonly account: string;
  /** Its id. */
  readonly run: string;
  /** Of that run. */
  readonly step: string;
  /** Of a step on many nodes: how many. */
  readonly nodes?: number;
  /** Which of its commands, from 0; absent before its nodes are chosen. */
  readonly rank?: number;
  /** Folder name of the project. */
  readonly project: string;
  /** How long it has held them or waited. */
  readonly ageMs: number;
  /** Until its end, by earlier runs; undefined where nobody knows. */
  readonly leftMs: number | undefined;
}

/** By node; holders first, then the line in its order. */
export function queueOf(rows: readonly NodeHealth[]): readonly QueueEntry[] {
  return rows.flatMap(({ node, facts, sameAs }) => {
    const work = facts?.work;
    if (facts === undefined || work === undefined || sameAs !== undefined) return [];
    const jobs = new Set(
      work.claims.filter(({ kind }) => kind === "job").map(({ account, group }) =>
        `${account} ${group}`
      ),
    );
    const holders = work.claims.filter((claim) =>
      claim.gpus.length > 0 && !claim.isTrying &&
      // Its jobs say more.
      (claim.kind === "job" || !jobs.has(`${claim.account} ${claim.group}`))
    );
    return [
      ...holders.map((claim): QueueEntry => ({
        node,
        place: claim.kind === "job" ? "holds" : "reserved",
        gpus: claim.gpus.length,
        indices: facts.gpus.filter(({ uuid, index }) =>
          claim.gpus.includes(uuid ?? "") ||
          claim.gpus.some((key) => key.endsWith(`index-${index}`))
        ).map(({ index }) => index),
        model: undefined,
        account: claim.account,
        run: claim.run,
        ...readGangStep(claim.step),
        project: claim.project,
        ageMs: claim.ageMs,
        leftMs: claim.lastsMs !== undefined && claim.lastsMs > claim.ageMs
          ? claim.lastsMs - claim.ageMs
          : undefined,
      })),
      ...lineOrder(work).map((waiting, at): QueueEntry => ({
        node,
        place: at + 1,
        gpus: waiting.gpus,
        indices: [],
        model: waiting.model,
        account: waiting.account,
        run: waiting.run,
        ...readGangStep(waiting.step),
        project: waiting.project,
        ageMs: waiting.ageMs,
        leftMs: undefined,
      })),
    ];
  });
}
