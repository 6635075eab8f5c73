/** Follows a service, and looks meanwhile whether it is ready. */
import type { OpenNode } from "../cluster/node.ts";
import { toGridError } from "../core/errors.ts";
import type { StepHost } from "../engine/ports.ts";
import type { Job, JobExit, JobSpec } from "../transport/job/job.ts";
import { isLinkFailure } from "../transport/job/job_link.ts";
import type { ServicePlan } from "./service_plan.ts";
import { lookReady, type Reached } from "./service_ready.ts";
import { TextTail } from "./text_tail.ts";

/** First and longest wait between two looks, in milliseconds. */
const FIRST_LOOK_MS = 100;
const LONGEST_LOOK_MS = 1000;
/** Characters of what it prints that are kept to look at. */
const TAIL_CHARACTERS = 256 * 1024;

export interface WatchOptions {
  readonly host: StepHost;
  readonly node: OpenNode;
  readonly spec: JobSpec;
  readonly plan: ServicePlan;
}

export class ServiceWatch {
  readonly over: Promise<JobExit>;
  readonly #options: WatchOptions;
  readonly #stop = new AbortController();
  readonly #tail = new TextTail(TAIL_CHARACTERS);
  readonly #stdout = new TextTail(TAIL_CHARACTERS);

  constructor(job: Job, options: WatchOptions) {
    this.#options = options;
    const { host } = options;
    this.over = job.follow({
      signal: this.#stop.signal,
      onOutput: (stream, bytes) => {
        this.#tail.push(bytes);
        if (stream === "stdout") this.#stdout.push(bytes);
        return host.output(stream, bytes);
      },
    });
    this.over.catch(() => {});
  }

  printed(): string {
    return this.#tail.end();
  }

  get stdout(): string {
    return this.#stdout.end();
  }

  async stop(): Promise<void> {
    this.#stop.abort(STOPPED);
    await this.over.catch(() => {});
  }

  async ready(): Promise<Reached | { readonly missing: string } | { readonly exit: JobExit }> {
    const { plan, node, spec, host } = this.#options;
    const { clock, signal } = host;
    const until = clock.monotonic() + plan.service.withinMs;
    const done = new AbortController();
    const exited = this.over.then((exit) => ({ exit }));
    exited.catch(() => {}).finally(() => done.abort(STOPPED));
    const { ready } = plan.service;
    const printed = () => this.printed();
    let missing = "nobody could look";
    for (let wait = FIRST_LOOK_MS;; wait = Math.min(2 * wait, LONGEST_LOOK_MS)) {
      signal.throwIfAborted();
      const look = lookReady({ ready, port: plan.port, node, spec, printed, signal })
        // The link may come back; the job's own lease says for how long that is hoped for.
        .catch((error) => {
          if (isLinkFailure(error)) return toGridError(error).message;
          throw error;
        });
      const seen = await Promise.race([look, exited]);
      if (typeof seen === "object" && "exit" in seen) return seen;
      if (typeof seen === "object") return seen;
      missing = seen;
      if (clock.monotonic() >= until) return { missing };
      const both = AbortSignal.any([signal, done.signal]);
      await clock.sleep(wait, { signal: both }).catch(() => {});
    }
  }
}

const STOPPED = Symbol("nobody follows it any more");
