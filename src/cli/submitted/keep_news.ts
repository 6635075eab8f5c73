/** What is new of runs whose runner lives on a node, brought home again and again while somebody looks on. */
import { systemClock } from "../../core/clock.ts";
import type { CliContext } from "../context.ts";
import type { PastRuns } from "../past_runs.ts";
import { bringNews } from "./news.ts";

/** Each look starts a Grid for each such run on its node. */
const PAUSE_MS = 30_000;

/** Until it is disposed; holds nobody up, and says nothing: what did not answer is shown as it was. */
export function keepNews(runs: PastRuns, context: CliContext): AsyncDisposable {
  const left = new AbortController();
  const { signal } = left;
  const quiet = { ...runs, settings: { ...runs.settings, quiet: true } };
  const work = (async () => {
    while (!signal.aborted) {
      await bringNews(quiet, context).catch(() => {}); // the next look may go better
      await systemClock.sleep(PAUSE_MS, { signal }).catch(() => {});
    }
  })();
  return {
    [Symbol.asyncDispose]: async () => {
      left.abort();
      await Promise.race([work, systemClock.sleep(LEAVE_MS)]);
    },
  };
}

/** A look that is under way when it is to end. */
const LEAVE_MS = 2000;
