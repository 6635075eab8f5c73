/** What is new of runs whose runner lives on a node, before a command tells of them. */
import { lazy } from "../../core/lazy.ts";
import type { NodeRunner } from "../../store/node_runners.ts";
import type { CliContext } from "../context.ts";
import type { PastRuns } from "../past_runs.ts";

/** Of one run, or all. Costs a question to the store where none lives elsewhere. */
export async function bringNews(
  runs: PastRuns,
  context: CliContext,
  run?: string,
): Promise<void> {
  const living = runs.store.nodeRunners.all().filter((each) =>
    (run === undefined || each.run === run) && mayHaveNews(each, runs)
  );
  if (living.length === 0) return;
  const { bringFrom } = await loadBring();
  // Each place once, however many runs live there.
  const places = new Map(living.map((each) => [`${each.node}\n${each.folder}`, each]));
  await bringFrom([...places.values()], { runs, context });
}

/** Brings home what comes, until it is disposed or all there is over. */
export function followNews(runs: PastRuns, run: string, context: CliContext): AsyncDisposable {
  const found = runs.store.nodeRunners.find(run);
  const left = new AbortController();
  const work = found !== undefined && mayHaveNews(found, runs)
    ? loadBring().then(({ follow }) => follow(found, { runs, context, signal: left.signal }))
    : undefined;
  return {
    [Symbol.asyncDispose]: async () => {
      left.abort();
      await work;
    },
  };
}

/** One that stopped without an end may be gone on from there, after a restart of the node. */
function mayHaveNews({ run, isAlive }: NodeRunner, { store }: PastRuns): boolean {
  if (isAlive) return true;
  const row = store.row(run);
  return row !== undefined && row.finishedAt === undefined && row.resumedAs === undefined;
}

function loadBring(): Promise<typeof import("./bring.ts")> {
  return lazy<typeof import("./bring.ts")>("./bring.ts", import.meta.url);
}
