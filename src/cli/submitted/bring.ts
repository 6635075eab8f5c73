/** Brings home what is new of runs whose runner lives on a node. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { systemClock } from "../../core/clock.ts";
import { isTransportCode, toGridError } from "../../core/errors.ts";
import { lazy } from "../../core/lazy.ts";
import { PRIVATE_FILE } from "../../core/private_modes.ts";
import { VERSION } from "../../core/version.ts";
import type { Grid } from "../../grid.ts";
import type { NodeRunner } from "../../store/node_runners.ts";
import type { CliContext } from "../context.ts";
import { completeReport, type PastRuns, stateOf } from "../past_runs.ts";
import { Mirror } from "./mirror.ts";
import { askThere } from "./talk.ts";

/** A look must not make people wait. */
const LOOK_MS = 15_000;
/** Between tries to come back to a node. */
const PAUSE_MS = 1000;
const LONGEST_PAUSE_MS = 15_000;

export type Place = Pick<NodeRunner, "node" | "folder" | "project">;

/** Each is a Grid that starts there. */
const AT_ONCE = 4;

/** Brings home what there is; a node that does not answer is told of, and what is here is shown. */
export async function bringFrom(
  places: readonly Place[],
  { runs, context }: { readonly runs: PastRuns; readonly context: CliContext },
): Promise<void> {
  await using grid = await openGridOf(runs, context);
  const signal = AbortSignal.timeout(LOOK_MS);
  const byNode = Map.groupBy(places, ({ node }) => node);
  await Promise.all([...byNode.values()].map(async (there) => {
    // The newest first; their folders are named by the first run in them.
    const left = there.toSorted((a, b) => b.folder < a.folder ? -1 : 1);
    let failed: { readonly place: Place; readonly error: unknown } | undefined;
    let answered = 0;
    const askOn = async () => {
      while (left.length > 0 && !signal.aborted) {
        const [place] = left.splice(0, 1);
        if (place === undefined) return;
        try {
          await take(runs, { place, grid, signal, follow: false });
          answered += 1;
        } catch (error) {
          if (signal.aborted && answered > 0) return void left.push(place);
          failed ??= { place, error };
          // Others there would fail alike.
          if (isTransportCode(toGridError(error).code)) left.splice(0);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, askOn));
    if (failed !== undefined) tellUnanswered(runs, { ...failed, context });
    else if (left.length > 0) tellLeft(runs, { left, context });
  }));
}

function tellLeft(
  { settings }: PastRuns,
  { left, context }: { readonly left: readonly Place[]; readonly context: CliContext },
): void {
  const [one] = left;
  if (settings.quiet || one === undefined) return;
  context.stderr(
    `note: ${left.length} more runs live on ${one.node}, for which ${LOOK_MS / 1000} s were not ` +
      "enough; the same command asks for them\n",
  );
}

/** Brings home what comes, until it is aborted or all there is over. */
export async function follow(
  place: Place,
  { runs, context, signal }: FollowOptions,
): Promise<void> {
  try {
    await followOn(runs, { place, context, signal });
  } catch (error) {
    if (!signal.aborted) tellUnanswered(runs, { place, error, context });
  }
}

export interface FollowOptions {
  readonly runs: PastRuns;
  readonly context: CliContext;
  readonly signal: AbortSignal;
}

/** Reads on over links that break, for as long as somebody looks. */
async function followOn(
  runs: PastRuns,
  { place, context, signal }: Omit<FollowOptions, "runs"> & { readonly place: Place },
): Promise<void> {
  await using grid = await openGridOf(runs, context);
  let pauseMs = PAUSE_MS;
  for (let isTold = false;;) {
    try {
      await take(runs, { place, grid, signal, follow: true, took: () => pauseMs = PAUSE_MS });
      return;
    } catch (error) {
      signal.throwIfAborted();
      const { code } = toGridError(error);
      // The run is not there any more, or nobody there speaks as Grid does.
      if (code === "answer-invalid" || code === "bug" || code === "usage") throw error;
      if (!isTold) tellUnanswered(runs, { place, error, context });
      isTold = true;
      await systemClock.sleep(pauseMs, { signal });
      pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
    }
  }
}

interface TakeOptions {
  readonly place: Place;
  readonly grid: Grid;
  readonly signal: AbortSignal;
  readonly follow: boolean;
  readonly took?: () => void;
}

async function take(runs: PastRuns, options: TakeOptions): Promise<void> {
  const { place, grid, signal, follow } = options;
  const { store, folder } = runs;
  const { transport } = await grid.cluster.open(place.node, { signal });
  const mirror = new Mirror({ store, folder, place });
  await using talk = await askThere({ transport, folder: place.folder, signal }, {
    ask: "feed",
    known: mirror.known(),
    follow,
    tellsClock: true,
  });
  while (await mirror.take(talk)) {
    options.took?.();
    for (const run of mirror.runs) await finish(runs, run);
    if (!follow) return;
  }
  for (const run of mirror.runs) await finish(runs, run);
}

/** The reports are made here, from the journal. */
async function finish(runs: PastRuns, run: string): Promise<void> {
  if (runs.store.row(run)?.finishedAt === undefined || runs.store.isAlive(run)) return;
  await completeReport(runs, stateOf(runs, run));
  const path = join(runs.folder(run), "events.jsonl");
  if (existsSync(path)) return;
  const lines = runs.store.events(run).map((event) => `${JSON.stringify(event)}\n`);
  writeFileSync(path, lines.join(""), { mode: PRIVATE_FILE });
}

async function openGridOf({ settings }: PastRuns, { env }: CliContext): Promise<Grid> {
  const { openGrid } = await lazy<typeof import("../../grid.ts")>(
    "../../grid.ts",
    import.meta.url,
  );
  const { project, configFile } = settings;
  return await openGrid({ project, configFile, env, gridVersion: VERSION });
}

function tellUnanswered(
  { store, settings }: PastRuns,
  { place, error, context }: {
    readonly place: Place;
    readonly error: unknown;
    readonly context: CliContext;
  },
): void {
  if (settings.quiet) return;
  const { node, folder } = place;
  const latest =
    store.nodeRunners.all().filter((each) => each.node === node && each.folder === folder)
      .toSorted((a, b) => b.seenAt - a.seenAt)[0];
  const at = latest === undefined ? "" : new Date(latest.seenAt).toISOString();
  const why = error instanceof DOMException && error.name === "TimeoutError"
    ? `it does not answer within ${LOOK_MS / 1000} s`
    : toGridError(error).message;
  context.stderr(
    `note: ${latest?.run ?? "a run"} lives on ${node}, which cannot be asked: ${why}; ` +
      `what is known is of ${at}\n`,
  );
}
