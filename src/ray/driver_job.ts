/** One batch as a supervised job: send the driver, start it, follow it, read the results. */
import { concatBytes } from "../core/bytes.ts";
import { GridError } from "../core/errors.ts";
import { getLogger } from "../core/log.ts";
import { quote, quoteAll } from "../core/shell.ts";
import type { OpenNode } from "../cluster/node.ts";
import type { FollowOptions, Job, JobExit } from "../transport/job/job.ts";
import { endJob } from "../transport/job/job_ending.ts";
import { attachJob } from "../transport/job/job_start.ts";
import type { BatchHost, BatchOutcome, BatchSpec } from "./batch.ts";
import { DriverOutput, type DriverSays, progressOf } from "./driver_output.ts";
import {
  type DriverFiles,
  driverFiles,
  type DriverPlace,
  driverSpecText,
  markOf,
} from "./driver_spec.ts";
import type { DriversAhead } from "./driver_ahead.ts";
import { type BootOptions, giveUp, identityOf, startBoot } from "./driver_boot.ts";
import { driverSource } from "./driver_source.ts";
import type { FinishedTasks } from "./finished_tasks.ts";
import { uploadDriver } from "./driver_upload.ts";
import { WholeLines } from "./whole_lines.ts";
import { OutcomeReading } from "./outcome_reading.ts";

/** The driver's own exit code for "every task has an outcome"; see `batch_driver.py`. */
const DONE = 0;
/** For the driver to end on every node what tasks have started, beyond the batch's own grace. */
const SWEEP_MS = 20_000;

export interface DriverJobOptions {
  readonly head: OpenNode;
  /** Asked while the driver is being started. */
  readonly place: () => DriverPlace | Promise<DriverPlace>;
  /** Whether the driver needs Ray, which takes it long to load. */
  readonly usesRay: boolean;
  readonly spec: BatchSpec;
  readonly host: BatchHost;
  /** For the driver alone, beyond what the batch asks for. */
  readonly env: Readonly<Record<string, string>>;
  /** What earlier attempts have done, perhaps on another node. */
  readonly finished: FinishedTasks;
  /** Drivers that wait already. */
  readonly ahead?: DriversAhead;
}

/** @throws {GridError} `missing-tool`, `ray`, a transport code, or the signal's reason */
export async function runDriver(asked: DriverJobOptions): Promise<BatchOutcome> {
  const waiting = asked.spec.mayRun ? undefined : await asked.ahead?.take(bootOptions(asked));
  const options = waiting ? { ...asked, spec: { ...asked.spec, id: waiting.id } } : asked;
  const { head, spec, host, finished } = options;
  const files = await driverFiles(head.root, spec);
  host.jobStarted({ node: head.node.name, job: spec.id });
  const job = await takeUp(options, files) ??
    await startDriver(options, { files, waiting });
  await using reading = new OutcomeReading(options, files);
  const end = await followDriver(job, { ...options, files }, reading);
  const isOver = end.exit.kind === "code" && end.exit.code === DONE;
  const isDone = isOver && end.failed <= spec.maxFailures;
  const { outcome, successes } = await reading.finish(isDone);
  if (isDone) finished.forget(files.key);
  else finished.remember(files.key, successes);
  if (isDone) finished.later(() => removeResults(head, files));
  // Not before: a runner that dies here can be followed by one that attaches.
  if (isDone) finished.meanwhile(removeJob(job));
  else await removeJob(job);
  if (isOver) return outcome();
  await removeUnread(head, files);
  throw driverError(end.exit, { head, problem: end.problem });
}

/** Until the run is over its results stay on the node: a runner that dies now can be followed by one that attaches. */
async function removeResults(head: OpenNode, { results, spec }: DriverFiles): Promise<void> {
  await removeFiles(head, [`${results}.done`, spec]);
}

/** What a driver removes that has read it: tasks and results may have come from secrets. */
async function removeUnread(head: OpenNode, { spec, known }: DriverFiles): Promise<void> {
  await removeFiles(head, [spec, `${spec}.part`, known, `${known}.part`]);
}

async function removeFiles(head: OpenNode, paths: readonly string[]): Promise<void> {
  try {
    const { code, stderr } = await head.transport.exec(`rm -f ${quoteAll(paths)}`);
    if (code !== 0) getLogger("ray").debug(`files of a batch are not removed: ${stderr}`);
  } catch (error) {
    getLogger("ray").debug(`files of a batch are not removed: ${error}`); // old ones are pruned
  }
}

/** What an earlier runner started goes on; undefined where there is nothing of the kind. */
async function takeUp(options: DriverJobOptions, files: DriverFiles): Promise<Job | undefined> {
  const { head, spec } = options;
  if (!spec.mayRun) return undefined;
  const job = await attachJob(head.transport, identityOf(head, spec));
  if (job === undefined) return undefined;
  // That runner may have gone before it had sent what the driver waits for.
  const { code } = await head.transport.exec(
    `[ -e ${quote(files.results)} ] || [ -e ${quote(`${files.results}.done`)} ]`,
  );
  if (code !== 0) await sendDriver(options, files);
  return job;
}

/** The driver loads what it needs while its own text and the tasks are on their way. */
async function startDriver(
  options: DriverJobOptions,
  { files, waiting }: {
    readonly files: DriverFiles;
    readonly waiting: Job | undefined;
  },
): Promise<Job> {
  const [started, sent] = await Promise.allSettled([
    waiting ?? startBoot(bootOptions(options), files),
    sendDriver(options, files),
  ]);
  if (sent.status === "fulfilled" && started.status === "fulfilled") return started.value;
  if (started.status === "fulfilled") await giveUp(started.value);
  await removeUnread(options.head, files);
  throw [sent, started].find((end) => end.status === "rejected")?.reason;
}

function bootOptions({ head, usesRay, spec, env }: DriverJobOptions): BootOptions {
  return { head, usesRay, start: spec, env, cwd: spec.cwd };
}

async function sendDriver(options: DriverJobOptions, files: DriverFiles): Promise<void> {
  const { head, spec, host, finished } = options;
  const specText = driverSpecText(spec, { head, place: await options.place(), files });
  const knownResults = finished.lines(files.key);
  const driver = driverSource(options.usesRay ? "ray" : "local");
  await uploadDriver(head, { files, driver, specText, knownResults, signal: host.signal });
}

interface FollowedDriver extends DriverJobOptions {
  readonly files: DriverFiles;
}

interface DriverEnd {
  readonly exit: JobExit;
  /** Why the batch as a whole could not be run. */
  readonly problem: DriverSays | undefined;
  /** Tasks, as it said last. */
  readonly failed: number;
}

/** Progress and problems are taken out of stdout; what the tasks print goes on. */
async function followDriver(
  job: Job,
  options: FollowedDriver,
  reading: OutcomeReading,
): Promise<DriverEnd> {
  const { host, spec } = options;
  let problem: DriverSays | undefined;
  let lastFailed = 0;
  const output = new DriverOutput(markOf(spec), (said) => {
    if (said.problem !== undefined) problem = said;
    const progress = progressOf(said);
    lastFailed = progress?.failed ?? lastFailed;
    if (progress) reading.follow(progress);
    // Nobody asks how far a batch is that was told to end.
    if (progress && !host.signal.aborted) host.progress(progress);
  });
  const lines = new WholeLines();
  const onOutput: FollowOptions["onOutput"] = (stream, bytes) => {
    const passed = lines.push(stream, stream === "stdout" ? output.push(bytes) : bytes);
    if (passed.length > 0) return host.output(stream, passed);
  };
  const flush = async () => {
    for (const stream of ["stdout", "stderr"] as const) {
      const last = stream === "stdout" ? output.end() : new Uint8Array();
      const rest = concatBytes([lines.end(stream), last]);
      if (rest.length > 0) await host.output(stream, rest);
    }
  };
  try {
    const exit = await job.follow({ signal: host.signal, onOutput });
    await flush();
    return { exit, problem, failed: lastFailed };
  } catch (error) {
    if (host.signal.aborted) await endDriver(job, { ...options, onOutput, flush });
    throw error;
  }
}

interface DriverEnding extends FollowedDriver {
  readonly onOutput: FollowOptions["onOutput"];
  /** Hands on what may have been the beginning of a word to Grid. */
  readonly flush: () => Promise<void>;
}

async function endDriver(job: Job, options: DriverEnding): Promise<void> {
  const { spec, host, head, files, onOutput, flush } = options;
  const { survivors } = await endJob(job, { graceMs: spec.killGraceMs + SWEEP_MS, onOutput });
  await flush();
  await removeUnread(head, files);
  if (survivors.length === 0) return await removeJob(job);
  const names = survivors.map(({ pid, command }) => `${pid} ${command}`).join(", ");
  const text = `grid: still running on ${head.node.name}: ${names}\n`;
  await host.output("stderr", new TextEncoder().encode(text));
}

/**
 * A folder that stays (its supervisor may still be writing down the end) is no reason to fail:
 * `grid ps` lists it, and old ones are pruned.
 */
async function removeJob(job: Job): Promise<void> {
  try {
    await job.remove();
  } catch (error) {
    getLogger("ray").debug(`${error}`);
  }
}

function driverError(
  exit: JobExit,
  { head, problem }: { readonly head: OpenNode; readonly problem: DriverSays | undefined },
): GridError {
  const node = head.node.name;
  if (problem?.problem !== undefined) {
    const hint = problem.hint ?? undefined;
    return new GridError({ code: "ray", message: problem.problem, hint, node });
  }
  const end = exit.kind === "code"
    ? `it ended with exit code ${exit.code}`
    : exit.kind === "signal"
    ? `it was ended by ${exit.signal}`
    : "it vanished, perhaps because the node was restarted";
  return new GridError({
    code: "ray",
    message: `Cannot finish the batch: the driver stopped on ${node}, ${end}`,
    hint:
      "Its last lines are in the step's log; finished items are kept and the step can run again",
    node,
  });
}
