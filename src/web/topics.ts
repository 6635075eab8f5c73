/** What can be followed, and when it is looked at again. */
import { join } from "node:path";
import type { Topic, Watch } from "./live.ts";
import { LogFollower } from "./log_follower.ts";
import { isGoingOn, logHead, logPlace } from "./log_page.ts";
import { nodesParts } from "./nodes_page.ts";
import type { RunFolds } from "./run_folds.ts";
import { runParts } from "./run_page.ts";
import { type Drawings, viewRun } from "./run_view.ts";
import { liveRuns, type RunsQuery } from "./runs_page.ts";
import { scheduleParts } from "./schedule_page.ts";
import type { WebSources } from "./sources.ts";
import type { Tails } from "./tails.ts";

/** A runner that was killed writes nothing: whether it lives is asked again after so long. */
const ALIVE_MS = 2000;
/** A drawing of many bars is made anew less often than a row. */
const DRAWING_MS = 2000;
const MANY_BARS = 100;
const NODES_MS = 1000;

/** What is read once for all pages. */
export interface Shelf {
  readonly sources: WebSources;
  readonly folds: RunFolds;
  readonly tails: Tails;
}

export function runsTopic(sources: WebSources, query: RunsQuery): Topic {
  let version = "";
  let hasRunning = false;
  return ({ isChanged, ageMs }) => {
    const isDue = hasRunning && ageMs >= ALIVE_MS;
    if (!isChanged && !isDue) return undefined;
    const latest = sources.store.listVersion();
    if (latest === version && !isDue) return undefined;
    version = latest;
    const { parts, ...found } = liveRuns(sources, query);
    hasRunning = found.hasRunning;
    return { parts, isOver: false };
  };
}

export function runTopic(
  { sources, folds, tails }: Shelf,
  { run, formToken }: { readonly run: string; readonly formToken: string },
): Topic {
  const { clock } = sources;
  let drawnAt = -Infinity;
  let drawings: Drawings | undefined;
  return async ({ isChanged, ageMs }) => {
    if (!isChanged && ageMs < ALIVE_MS) return undefined;
    const folded = folds.of(run);
    const isOver = !folded.isUnderWay;
    const isDrawn = !isOver && folded.state.steps.size > MANY_BARS &&
      clock.monotonic() - drawnAt < DRAWING_MS;
    if (!isDrawn) drawnAt = clock.monotonic();
    const view = await viewRun(folded, {
      tails,
      folder: sources.folder(run),
      now: clock.now(),
      drawings: isDrawn ? drawings : undefined,
    });
    drawings = view.drawings;
    return { parts: runParts(view, { formToken }), isOver };
  };
}

export function nodesTopic(sources: WebSources): Topic {
  return async ({ ageMs }) =>
    ageMs < NODES_MS ? undefined : {
      parts: nodesParts(await sources.nodes(), sources.clock.now()),
      isOver: false,
    };
}

export function scheduleTopic(sources: WebSources, formToken: string): Topic {
  return ({ ageMs }) =>
    ageMs < NODES_MS ? undefined : {
      parts: scheduleParts(sources.schedules(), { formToken, now: sources.clock.now() }),
      isOver: false,
    };
}

export interface LogWatchOptions {
  readonly run: string;
  readonly step: string;
  /** The attempt that the address names. */
  readonly chosen: string | null;
  /** Byte that the page has shown all before. */
  readonly from: number;
}

/** @throws {GridError} `usage` for a step or attempt that the run does not have */
export function logWatch(
  { sources, folds }: Shelf,
  { run, step, chosen, from }: LogWatchOptions,
): Watch {
  const begin = logPlace(folds.of(run).state, step, chosen);
  const follower = new LogFollower(join(sources.folder(run), begin.file), from);
  return async (stream) => {
    // Asked first: what it printed last is read behind.
    const folded = folds.of(run);
    const place = logPlace(folded.state, step, chosen);
    while (stream.isOpen) {
      const part = await follower.next();
      if (part === undefined) break;
      const { lines, open, note, at } = part;
      stream.send("append", { lines: lines.text, open: open.text, note }, String(at));
    }
    if (place.attempt !== begin.attempt) stream.send("moved", {});
    else if (folded.isUnderWay && isGoingOn(place)) return;
    else {
      stream.send("parts", { "log-head": logHead(folded, place).text });
      stream.send("over", {});
    }
    stream.close();
  };
}
