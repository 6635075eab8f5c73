/** Watches all ranks of a gang until the first of them decides, by this clock, how the gang ends. */
import { monotonic } from "../core/clock.ts";
import type { StepHost } from "../engine/ports.ts";
import type { Gang } from "../pipeline/gang.ts";
import type { Rank, RankEnd } from "./gang_rank.ts";
import type { Verdict } from "./gang_words.ts";

/** Between two looks at what ranks say of themselves, and at how long they have been silent. */
const LOOK_MS = 1000;

interface WatchOptions {
  readonly gang: Gang;
  readonly host: Pick<StepHost, "signal" | "clock">;
  readonly onEnded: (rank: Rank) => void;
}

export async function firstVerdict(
  ranks: readonly Rank[],
  { gang, host, onEnded }: WatchOptions,
): Promise<Verdict | "succeeded" | "cancelled"> {
  const over = new AbortController();
  const { promise, resolve } = Promise.withResolvers<Verdict | "succeeded" | "cancelled">();
  const onAbort = () => resolve("cancelled");
  if (host.signal.aborted) return "cancelled";
  host.signal.addEventListener("abort", onAbort, { once: true });
  let left = ranks.length;
  const isRunning = (rank: Rank) => rank.end === undefined;
  const began = monotonic();
  let firstEndAt: number | undefined;
  /** What ended is judged in the order of the ends, also where that takes a look. */
  let judged: Promise<void> = Promise.resolve();
  const judge = async (rank: Rank, end: RankEnd) => {
    if (over.signal.aborted) return;
    if ("error" in end) return resolve({ kind: "error", rank, error: end.error });
    const { exit } = end;
    if (exit.kind !== "code" || exit.code !== 0) return resolve({ kind: "exit", rank, exit });
    // Code 0 may hide a failure that the command knew of.
    const words = await rank.lastFailure(over.signal);
    if (words !== undefined) resolve({ kind: "said", rank, words });
    else if (--left === 0) resolve("succeeded");
  };
  for (const rank of ranks) {
    rank.signedAt = Math.max(rank.signedAt, began);
    rank.follow().then((end) => {
      if (over.signal.aborted || host.signal.aborted) return;
      if ("exit" in end) {
        onEnded(rank);
        if (end.exit.kind === "code" && end.exit.code === 0) firstEndAt ??= monotonic();
      }
      judged = judged.then(() => judge(rank, end));
    });
  }
  const looking = new Set<Rank>();
  const look = (rank: Rank) => {
    const { idleMs, exitTogetherMs } = gang;
    const now = monotonic();
    if (idleMs !== undefined && now - rank.signedAt > idleMs) {
      return resolve({ kind: "idle", rank, ms: idleMs });
    }
    if (exitTogetherMs !== undefined && now - (firstEndAt ?? now) > exitTogetherMs) {
      return resolve({ kind: "late", rank, ms: exitTogetherMs });
    }
    // One that does not answer holds nobody else up.
    if (looking.has(rank)) return;
    looking.add(rank);
    rank.ownFailure(over.signal).then((words) => {
      if (words !== undefined && isRunning(rank)) resolve({ kind: "said", rank, words });
    }).catch(() => {}).finally(() => looking.delete(rank));
  };
  const timer = setInterval(() => ranks.filter(isRunning).forEach(look), LOOK_MS);
  try {
    return await promise;
  } finally {
    clearInterval(timer);
    host.signal.removeEventListener("abort", onAbort);
    over.abort(new Error("over"));
  }
}
