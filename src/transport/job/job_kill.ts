/** Ending a job together with everything it started, and making sure of it. */
import { monotonic, systemClock } from "../../core/clock.ts";
import { raceAbort } from "../../core/deadline.ts";
import type { KillReport } from "./job.ts";
import type { JobLink } from "./job_link.ts";
import { handedOver } from "./handed_over.ts";
import { type Look, nodeSignals } from "./node_signals.ts";

/** First and longest wait between two looks, in milliseconds. */
const FIRST_LOOK_MS = 20;
const LONGEST_LOOK_MS = 250;
/** How long the kernel may take to end what got the final signal. */
const FINAL_MS = 2000;
/** Of a busy node one look may take longer than that; what it found is what got the signal, not what is left. */
const LEAST_FINAL_LOOKS = 4;

/**
 * By number and start time, for a number may go to another process. A process that was seen once is
 * not lost any more, even if it left its session, has no marker, and its parents are gone.
 */
type Members = Look["members"];

interface Tree {
  readonly link: JobLink;
  readonly abort: AbortSignal | undefined;
  /** A process that tidies up after the first polite signal must not be disturbed by a second. */
  readonly seen: Set<string>;
  /** When the first polite signal came, by the node's clock: what began later tidies up. */
  since: string | undefined;
  /** Names of all processes that were seen. */
  readonly names: Set<string>;
}

/**
 * The polite signal to the whole tree, the grace, the final signal, and a look at what is left.
 *
 * @throws {GridError} `lost` where the node stays away
 */
export async function killTree(
  link: JobLink,
  options: {
    readonly graceMs: number;
    /** Of the final signal; default 2 s. */
    readonly finalMs?: number;
    readonly signal?: AbortSignal | undefined;
  },
): Promise<KillReport> {
  const { graceMs, finalMs = FINAL_MS } = options;
  const tree: Tree = {
    link,
    abort: options.signal,
    seen: new Set(),
    since: undefined,
    names: new Set(),
  };
  const polite = await endWith(tree, { signal: "TERM", ms: graceMs });
  const left = polite.size === 0 ? polite : await endWith(tree, { signal: "KILL", ms: finalMs });
  return {
    survivors: [...left].map(([identity, command]) => ({
      pid: Number.parseInt(identity),
      command,
    })),
    handedOver: handedOver(tree.names),
  };
}

interface Phase {
  readonly signal: "TERM" | "KILL";
  readonly ms: number;
}

async function endWith(tree: Tree, { signal, ms }: Phase): Promise<Members> {
  let until: number | undefined;
  let looks = signal === "KILL" ? LEAST_FINAL_LOOKS : 1;
  for (let wait = FIRST_LOOK_MS;; wait = Math.min(wait * 2, LONGEST_LOOK_MS)) {
    const members = await signalMembers(tree, signal);
    // From the signal on, and not from the wish to send it.
    until ??= monotonic() + ms;
    const left = until - monotonic();
    looks--;
    if (members.size === 0 || (left <= 0 && looks <= 0)) return members;
    await systemClock.sleep(left > 0 ? Math.min(wait, left) : wait, { signal: tree.abort });
  }
}

async function signalMembers(tree: Tree, signal: Phase["signal"]): Promise<Members> {
  const { link, seen, since, abort } = tree;
  const { id, root } = link.identity;
  const signals = nodeSignals(link.transport, root);
  const send = () => signals.send(id, { signal, since, seen });
  const { at, members } = await link.persist(
    () => abort ? raceAbort(send(), abort) : send(),
    abort,
  );
  tree.since ??= at;
  for (const [identity, name] of members) {
    seen.add(identity);
    if (!identity.endsWith("=")) tree.names.add(name);
  }
  return members;
}
