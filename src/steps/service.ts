/** A command that is meant to stay: its step is over once it is ready, and it goes on. */
import { formatDuration } from "../core/duration.ts";
import { GridError, toGridError } from "../core/errors.ts";
import type { Failure } from "../engine/event.ts";
import type { StepOutcome } from "../engine/ports.ts";
import { endJob } from "../transport/job/job_ending.ts";
import type { Job, JobExit, KillReport } from "../transport/job/job.ts";
import type { ServiceNote } from "../transport/job/job_service.ts";
import { putJobFile } from "../transport/job/job_start.ts";
import type { RunRequest } from "./run_job.ts";
import { failed } from "./run_failure.ts";
import { readOutputs } from "./run_outputs.ts";
import type { Reached } from "./service_ready.ts";
import { ServiceWatch, type WatchOptions } from "./service_watch.ts";
import { goneFailure, lastWords } from "./service_words.ts";

export interface AttendOptions extends WatchOptions {
  readonly request: RunRequest;
  /** What is left of it, by looking, or by asking who was given its work. */
  readonly aftermath: (report: KillReport) => Promise<string>;
  /** It has ended: its files may go, and what it left running is to be ended. */
  readonly onEnded: () => void;
}

/** It has ended before it was ready. */
export interface EarlyEnd {
  readonly over: JobExit;
  readonly printed: string;
}

/** The services of a run that are ready. */
export class Services {
  /** What ends those that are ready, or lets them go. */
  readonly #standing = new Set<() => Promise<void>>();

  /** Until it is ready, or is known not to become so. `over` where it has ended before that. */
  async attend(job: Job, options: AttendOptions): Promise<StepOutcome | EarlyEnd> {
    const { host, node } = options;
    const watch = new ServiceWatch(job, options);
    try {
      const reached = await watch.ready();
      if ("exit" in reached) return { over: reached.exit, printed: watch.printed() };
      if ("missing" in reached) return await this.#late(job, options, { watch, ...reached });
      await announce(options, reached);
      const outputs = await outputsOf(job, options, { watch, reached });
      const stays = { over: this.#stand(job, options, watch) };
      return { status: "succeeded", outputs, stays };
    } catch (error) {
      const told = host.signal.aborted ? host.signal.reason : error;
      const outcome = failed(toGridError(told), { node, started: true });
      return { ...outcome, aftermath: await this.#giveUp(job, options, watch) };
    }
  }

  /** Ends those that live as long as their run, and lets the others go. */
  async end(): Promise<void> {
    const standing = [...this.#standing];
    this.#standing.clear();
    await Promise.all(standing.map((end) => end()));
  }

  /** Followed until it ends, or until nobody wants to know any more. */
  #stand(job: Job, options: AttendOptions, watch: ServiceWatch): Promise<Failure | undefined> {
    const { node, plan, host, onEnded } = options;
    const { promise, resolve } = Promise.withResolvers<Failure | undefined>();
    const end = async () => {
      await watch.stop();
      if (plan.service.life === "run") {
        using _notice = tellWhereSlow(options);
        const words = await this.#giveUp(job, options, watch);
        const isGone = /^(0 survivors|no process is left)/.test(words) && !/still has/.test(words);
        if (!isGone) host.note({ type: "warned", message: `its service: ${words}` });
      }
      resolve(undefined);
    };
    this.#standing.add(end);
    watch.over.then((exit) => {
      if (!this.#standing.delete(end)) return;
      onEnded();
      resolve(goneFailure(exit, { node, printed: watch.printed() }));
    }, (error) => {
      if (!this.#standing.delete(end)) return;
      resolve(failed(toGridError(error), { node, started: true }).failure);
    });
    return promise;
  }

  async #late(
    job: Job,
    options: AttendOptions,
    { watch, missing }: { readonly watch: ServiceWatch; readonly missing: string },
  ): Promise<StepOutcome> {
    const { node, plan: { service } } = options;
    const error = new GridError({
      code: "timed-out",
      message: `Cannot start the service on "${node.node.name}": not ready after ` +
        `${formatDuration(service.withinMs)}: ${missing}${lastWords(watch.printed())}`,
      hint: "service.within: 10m gives it more time",
      node: node.node.name,
    });
    const aftermath = await this.#giveUp(job, options, watch);
    const outcome = failed(error, { node, started: true });
    const message = `${outcome.failure.message}; ${aftermath}`;
    return { ...outcome, failure: { ...outcome.failure, message } };
  }

  /** It does not become ready: nothing of it may be left. */
  async #giveUp(job: Job, options: AttendOptions, watch: ServiceWatch): Promise<string> {
    const { host, request, aftermath, onEnded } = options;
    await watch.stop();
    try {
      const report = await endJob(job, {
        graceMs: request.killGraceMs,
        onOutput: (stream, bytes) => host.output(stream, bytes),
      });
      const words = await aftermath(report);
      if (report.survivors.length === 0) onEnded();
      return words;
    } catch (error) {
      return `its processes could not be ended: ${toGridError(error).message}`;
    }
  }
}

/** How long after its grace a service may take to end before somebody wonders. */
const SLOW_MS = 5000;

/** Its node may be out of reach, and the run waits for it as long as its job's lease lasts. */
function tellWhereSlow({ host, node, request }: AttendOptions): Disposable {
  const over = new AbortController();
  host.clock.sleep(request.killGraceMs + SLOW_MS, { signal: over.signal }).then(() => {
    const { name } = node.node;
    const message =
      `its service is still to be ended on ${name}; where ${name} stays out of reach ` +
      "it ends it by itself, and the run waits no longer than that";
    host.note({ type: "warned", message });
  }, () => {});
  return { [Symbol.dispose]: () => over.abort(STOPPED) };
}

const STOPPED = Symbol("it has ended");

/** For `grid services`, whoever asks and whenever. */
async function announce(
  { node, spec, plan }: AttendOptions,
  { address }: Reached,
): Promise<void> {
  const content = JSON.stringify({ ...plan.note, address, ready: true } satisfies ServiceNote);
  await putJobFile(node.transport, spec, { name: "service", content });
}

async function outputsOf(
  job: Job,
  { request, node, spec, plan, host }: AttendOptions,
  { watch, reached }: { readonly watch: ServiceWatch; readonly reached: Reached },
) {
  const declared = await readOutputs(request.outputs, {
    node,
    cwd: spec.cwd,
    outputFile: "",
    stdout: watch.stdout,
    isMasked: Object.keys(spec.secrets).length > 0,
    signal: host.signal,
  });
  return {
    node: node.node.name,
    job: job.id,
    ...(plan.port !== undefined && { port: plan.port }),
    ...(reached.address !== undefined && { address: reached.address }),
    ...declared,
  };
}
