/** Ending a job together with everything it started, and making sure of it. */
import { systemClock } from "../core/clock.ts";
import type { KillReport } from "./job.ts";
import type { JobLink } from "./job_link.ts";

/** First and longest wait between two looks, in milliseconds. */
const FIRST_LOOK_MS = 20;
const LONGEST_LOOK_MS = 250;
/** How long the kernel may take to end what got the final signal. */
const FINAL_MS = 2000;

interface Phase {
  readonly signal: "TERM" | "KILL";
  readonly ms: number;
  readonly abort: AbortSignal | undefined;
}

/**
 * The polite signal to the whole tree, the grace, the final signal, and a look at what is left.
 *
 * @throws {GridError} `lost` where the node stays away
 */
export async function killTree(
  link: JobLink,
  options: { readonly graceMs: number; readonly signal?: AbortSignal | undefined },
): Promise<KillReport> {
  const abort = options.signal;
  const asked = await endWith(link, { signal: "TERM", ms: options.graceMs, abort });
  if (asked.length === 0) return { survivors: [] };
  return { survivors: await endWith(link, { signal: "KILL", ms: FINAL_MS, abort }) };
}

type Members = KillReport["survivors"];

async function endWith(link: JobLink, { signal, ms, abort }: Phase): Promise<Members> {
  const until = Date.now() + ms;
  /** A process that tidies up after the first signal must not be disturbed by a second. */
  const told = new Set<number>();
  for (let wait = FIRST_LOOK_MS;; wait = Math.min(wait * 2, LONGEST_LOOK_MS)) {
    const members = await signalMembers(link, { signal, told, abort });
    const left = until - Date.now();
    if (members.length === 0 || left <= 0) return members;
    for (const { pid } of members) told.add(pid);
    await systemClock.sleep(Math.min(wait, left), { signal: abort });
  }
}

interface SignalOptions {
  readonly signal: string;
  readonly told: ReadonlySet<number>;
  readonly abort: AbortSignal | undefined;
}

async function signalMembers(link: JobLink, options: SignalOptions): Promise<Members> {
  const { stdout } = await link.persist(
    () => link.call("grid_signal", [options.signal, ...options.told], { signal: options.abort }),
    options.abort,
  );
  return stdout.split("\n").filter((line) => line !== "").map((line) => {
    const [pid = "", ...command] = line.split(" ");
    return { pid: Number(pid), command: command.join(" ") };
  });
}
