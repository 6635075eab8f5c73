/** Results from a Ray that gives out the logs of jobs but no other files: a job prints them into its log. */
import { systemClock } from "../core/clock.ts";
import { quote } from "../core/shell.ts";
import { isEnded, type JobsApi } from "./jobs_api.ts";
import type { OutcomeReader } from "./results.ts";

const LOOK_MS = 500;
const REMOVE_AGAIN_MS = 1500;
/** Ray's own words may come before it. */
const RESULTS_FOLLOW = "grid-results:";
const RESULTS_END = "grid-results-end";
/** The log may be behind the job for a moment. */
const LOOKS_AT_LOG = 20;

/** @param path the file on the head, where such jobs run */
export async function printResults(
  api: JobsApi,
  id: string,
  { path, reader, signal }: {
    readonly path: string;
    readonly reader: OutcomeReader;
    readonly signal: AbortSignal;
  },
): Promise<void> {
  const name = `${id}-results`;
  const entrypoint = `echo; echo ${RESULTS_FOLLOW}; cat ${quote(path)} && echo ${RESULTS_END}`;
  await api.submit({ id: name, entrypoint, envVars: {} });
  for (let job = await api.job(name); job && !isEnded(job); job = await api.job(name)) {
    await systemClock.sleep(LOOK_MS, { signal });
  }
  let log = await api.logs(name);
  for (let look = 1; look < LOOKS_AT_LOG && !log.includes(`\n${RESULTS_END}`); look++) {
    await systemClock.sleep(LOOK_MS, { signal });
    log = await api.logs(name);
  }
  await api.remove(name);
  // Ray's own watcher may note its end once more.
  await systemClock.sleep(REMOVE_AGAIN_MS, { signal });
  await api.remove(name);
  const start = log.indexOf(`\n${RESULTS_FOLLOW}\n`);
  const end = log.lastIndexOf(`\n${RESULTS_END}`);
  if (start < 0 || end < 0) return;
  // Ray's own words may also come in between.
  const lines = log.slice(start, end).split("\n").filter((line) => /^[=!?]/.test(line));
  reader.push(new TextEncoder().encode(`${lines.join("\n")}\n`));
}
