/** A batch on a Ray cluster that Grid did not start: one job of its Jobs API. */
import { monotonic, systemClock } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import { distinctName } from "../core/file_names.ts";
import type { RayConfig } from "../cluster/config.ts";
import type { OpenNode } from "../cluster/node.ts";
import type { BatchHost, BatchOutcome, BatchSpec } from "./batch.ts";
import { packFolder } from "./code_package.ts";
import { DriverOutput, type DriverSays, progressOf } from "./driver_output.ts";
import { driverSource } from "./driver_source.ts";
import { driverFiles, driverSpecText, markOf } from "./driver_spec.ts";
import { PendingWords, StartTimeout } from "./job_pending.ts";
import { JobLog, JobLogTail } from "./job_log.ts";
import { printResults } from "./job_results.ts";
import { isEnded, JobsApi, type RayJob } from "./jobs_api.ts";
import { findRoute, readToken, type Route } from "./jobs_route.ts";
import { OutcomeReader } from "./results.ts";
import { sealSecrets } from "./sealed_secrets.ts";

const POLL_MS = 1000;
/** A dashboard that takes longer for an answer is told of. */
const TELL_SILENCE_MS = 4000;
/** A dashboard that is silent for longer than this is given up. */
const SILENCE_MS = 300_000;
/** For Ray to notice that a stopped job has ended, beyond the job's own grace. */
const STOP_MARGIN_MS = 40_000;
/** Looks, one at once and the others a poll apart, that must all find nothing of a job taken off the list. */
const LOOKS_AFTER_REMOVAL = 3;
/** For the driver to end on every node what tasks have started. */
const SWEEP_MS = 20_000;
/** Older ones let strangers delete jobs: CVE-2026-27482. */
const ADVISED_RAY = [2, 54] as const;

export interface ExistingBatchOptions {
  readonly config: RayConfig;
  /** Holds the code; also the way to the dashboard where it cannot be reached from here. */
  readonly head: OpenNode;
  readonly spec: BatchSpec;
  readonly host: BatchHost;
}

/** @throws {GridError} `cluster-invalid`, `ray`, `lost`, or the signal's reason */
export async function runOnExisting(options: ExistingBatchOptions): Promise<BatchOutcome> {
  const { config, head, spec, host } = options;
  await using route = await findRoute(config.address, head, host.signal);
  using api = openApi(route, host.signal);
  const version = await api.version();
  await warnIfOld(version.ray, host);
  const id = submissionId(spec.id);
  host.jobStarted({ node: head.node.name, job: spec.id });
  try {
    // A submission whose answer was lost, or the job of a runner that died, is taken up again.
    if (await api.job(id) === undefined) await submit(api, id, options);
  } catch (error) {
    // The submission may have come through although its answer did not.
    if (host.signal.aborted) await stopJob(route, id, spec.killGraceMs);
    throw error;
  }
  const { session } = version;
  return await attend(api, id, {
    ...options,
    session,
    stop: () => stopJob(route, id, spec.killGraceMs),
  });
}

async function submit(api: JobsApi, id: string, options: ExistingBatchOptions): Promise<void> {
  const { config, head, spec, host } = options;
  const files = await driverFiles("~", spec);
  const place = { mode: "package", namespace: config.namespace } as const;
  const sealed = await sealSecrets(spec.secrets, (bytes) => api.upload(bytes));
  const content = await packFolder(head, {
    folder: spec.cwd,
    extra: {
      ".grid_batch/batch_driver.py": driverSource("ray"),
      ".grid_batch/spec.json": driverSpecText(spec, { head, place, files, sealed }),
    },
    signal: host.signal,
  });
  const workingDir = await api.upload(content);
  // Ray's own default is 3 seconds.
  const grace = {
    RAY_JOB_STOP_WAIT_TIME_S: String(Math.ceil((spec.killGraceMs + SWEEP_MS) / 1000)),
  };
  try {
    await api.submit({
      id,
      entrypoint: ENTRYPOINT,
      workingDir,
      envVars: { ...spec.env, ...grace },
    });
  } catch (error) {
    // Perhaps only the answer was lost; a second submission would run everything twice.
    if (host.signal.aborted || await api.job(id) === undefined) throw error;
  }
}

/**
 * Where Ray was started by the path of its program PATH knows none of its Pythons. A job's shell is started by its
 * supervisor, and that by the raylet, which knows.
 */
const RAYLETS_PYTHON = '"$(sed -n "s/^PPid:[^0-9]*//p" /proc/$PPID/status 2>/dev/null | ' +
  '{ read -r pid && cat /proc/"$pid"/cmdline; } | tr "\\0" "\\n" | ' +
  'sed -n "s/^--python_worker_command=\\([^ ]*\\).*/\\1/p")"';

/** The job's shell may have several Pythons before it; one of them knows Ray. */
const ENTRYPOINT = `for python in python python3 ${RAYLETS_PYTHON}; do "$python" -c ` +
  "\"import sys, importlib.util as u; sys.exit(not u.find_spec('ray'))\" 2>/dev/null && " +
  'exec "$python" -u .grid_batch/batch_driver.py .grid_batch/spec.json; done; ' +
  'echo "no python on the PATH of the Ray head can import ray" >&2; exit 3';

/** Follows the job to its end. Its status is the truth, its log stream a convenience. */
async function attend(
  api: JobsApi,
  id: string,
  { spec, host, session, stop }: ExistingBatchOptions & {
    readonly session: string;
    readonly stop: () => Promise<void>;
  },
): Promise<BatchOutcome> {
  let results: DriverSays["results"];
  let problem: DriverSays | undefined;
  const output = new DriverOutput(markOf(spec), (said) => {
    if (said.results !== undefined) results = said.results;
    if (said.problem !== undefined) problem = said;
    const progress = progressOf(said);
    if (progress) host.progress(progress);
  });
  let sent: Promise<void> = Promise.resolve();
  const log = new JobLog((text) => {
    const bytes = output.push(new TextEncoder().encode(text));
    if (bytes.length > 0) sent = sent.then(() => host.output("stdout", bytes));
  });
  const job = await waitForEnd(api, id, {
    log,
    stop,
    session,
    signal: host.signal,
    tell: (text) => void (sent = sent.then(() => host.output("stderr", ENCODER.encode(text)))),
  });
  log.push(await api.logs(id), 0);
  const rest = output.end();
  await sent;
  if (rest.length > 0) await host.output("stdout", rest);
  if (job.status !== "SUCCEEDED") {
    await api.remove(id);
    throw failure(job, problem);
  }
  const reader = new OutcomeReader(spec.tasks.length, host.outcomes);
  if (results && !await api.readFile(results, (bytes) => reader.push(bytes))) {
    await printResults(api, id, { path: results.path ?? "", reader, signal: host.signal });
  }
  await api.remove(id);
  return reader.outcome();
}

interface WaitOptions {
  readonly log: JobLog;
  readonly stop: () => Promise<void>;
  /** Of Ray, when the job was submitted. */
  readonly session: string;
  readonly signal: AbortSignal;
  /** A line for whoever looks at the step. */
  readonly tell: (text: string) => void;
}

const ENCODER = new TextEncoder();

async function waitForEnd(
  api: JobsApi,
  id: string,
  { log, stop, session, signal, tell }: WaitOptions,
): Promise<RayJob> {
  await using tail = new JobLogTail(api, id, log);
  const pending = new PendingWords(tell);
  let answeredAt = monotonic();
  let isSilent = false;
  const tellSilence = (words: string) => {
    if (!isSilent) tell(`grid: ${words}; trying for ${SILENCE_MS / 60_000} minutes\n`);
    isSilent = true;
  };
  for (;;) {
    try {
      using _soon = after(
        TELL_SILENCE_MS,
        () => tellSilence(`no answer from ${api.address} for ${TELL_SILENCE_MS / 1000} s`),
      );
      const job = await api.job(id);
      if (job === undefined || isSilent) await expectSession(api, session);
      answeredAt = monotonic();
      if (isSilent) tell("grid: the dashboard answers again\n");
      isSilent = false;
      if (job === undefined) throw forgotten();
      if (isEnded(job)) return job;
      if (job.status === "RUNNING") tail.ensure();
      else pending.look(job);
      await systemClock.sleep(POLL_MS, { signal });
    } catch (error) {
      // Stopped before the tail is closed: Ray answers the closing only when the job has ended.
      if (signal.aborted || error instanceof StartTimeout) await stop();
      const passes = !signal.aborted && error instanceof GridError && error.code === "lost";
      if (!passes || monotonic() - answeredAt > SILENCE_MS) throw error;
      tellSilence(error.message);
      await systemClock.sleep(POLL_MS, { signal });
    }
  }
}

function after(ms: number, act: () => void): Disposable {
  const timer = setTimeout(act, ms);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}

/** Whoever starts the head anew has lost its jobs, and may know others of the same name. */
async function expectSession(api: JobsApi, session: string): Promise<void> {
  const now = (await api.version()).session;
  if (now === session) return;
  throw new GridError({
    code: "ray",
    message:
      `Cannot follow the batch: the Ray at ${api.address} was started anew, and its job is gone`,
    hint: "The step can run again",
  });
}

/** Stops the job, waits until Ray says that it has ended, and takes it off the list for good. */
async function stopJob(route: Route, id: string, graceMs: number): Promise<void> {
  using api = openApi(route, AbortSignal.timeout(graceMs + STOP_MARGIN_MS));
  // Ray's own watcher may note the end once more after a removal, and a busy Ray late.
  for (let absent = 0, isRemoved = false;;) {
    const job = await api.job(id);
    if (job === undefined) {
      if (!isRemoved || ++absent === LOOKS_AFTER_REMOVAL) return;
      await systemClock.sleep(POLL_MS);
      continue;
    }
    absent = 0;
    if (isEnded(job)) {
      await api.remove(id);
      isRemoved = true;
      continue;
    }
    // Asked again each time: while a job is PENDING, Ray says yes and does nothing.
    await api.stop(id);
    await systemClock.sleep(POLL_MS / 2);
  }
}

function openApi(route: Route, signal: AbortSignal): JobsApi {
  return new JobsApi({ ...route, token: readToken(), signal });
}

/** Ray takes any name, then fails on some; these characters are safe. */
function submissionId(id: string): string {
  return distinctName([id], { dots: false });
}

async function warnIfOld(version: string, host: BatchHost): Promise<void> {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > ADVISED_RAY[0] || (major === ADVISED_RAY[0] && minor >= ADVISED_RAY[1])) return;
  const text = `grid: Ray ${version} has known holes; ${
    ADVISED_RAY.join(".")
  } or newer is advised\n`;
  await host.output("stderr", new TextEncoder().encode(text));
}

function forgotten(): GridError {
  return new GridError({
    code: "ray",
    message: "Cannot follow the batch: Ray no longer knows its job",
    hint: "Was its head restarted, or the job deleted? The step can run again",
  });
}

function failure(job: RayJob, problem: DriverSays | undefined): GridError {
  if (problem?.problem !== undefined) {
    const hint = problem.hint ?? undefined;
    return new GridError({ code: "ray", message: problem.problem, hint });
  }
  if (job.status === "STOPPED") {
    return new GridError({ code: "ray", message: "Cannot finish the batch: somebody stopped it" });
  }
  const kind = job.errorType ? ` (${job.errorType})` : "";
  return new GridError({
    code: "ray",
    message: `Cannot finish the batch: ${failureWords(job.message)}${kind}`,
    hint:
      "Its last lines are in the step's log; finished items are kept and the step can run again",
  });
}

/** Of a job that ended by itself Ray shows the end of its log, whose last line says why. */
function failureWords(message: string | undefined): string {
  const lines = message?.trim().split("\n").filter((line) => line.trim() !== "") ?? [];
  const [first = "it failed", last] = [lines[0], lines.at(-1)];
  const said = /^(.*), last available logs/.exec(first)?.[1];
  return said === undefined || last === first ? first : `${said}: ${last}`;
}
