/** One supervised process as seen from the runner. */
import { systemClock } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import type { FollowOptions, Job, JobExit, KillReport } from "./job.ts";
import { type Collected, INLINE_BYTES, type JobAnswer } from "./job_answer.ts";
import { killTree } from "./job_kill.ts";
import type { JobLink } from "./job_link.ts";
import { removeJobs } from "./job_list.ts";
import { streamJob } from "./job_stream.ts";

/** How long a job may stay between its folder and its supervisor's first word. */
const STARTING_MS = 10_000;
/** Waits between the first looks, in milliseconds; each is twice the one before. */
const FIRST_WAIT_MS = 20;
const LONGEST_WAIT_MS = 700;

export class RemoteJob implements Job {
  readonly #link: JobLink;
  /** Bytes handed on, per stream; where following goes on. */
  readonly #offset = { stdout: 0, stderr: 0 };
  /** What the start already told, until it is used. */
  #answer: JobAnswer | undefined;
  #outputFile: string | undefined;

  constructor(link: JobLink, answer: JobAnswer) {
    this.#link = link;
    this.#answer = answer;
  }

  get id(): string {
    return this.#link.identity.id;
  }

  async follow(options: FollowOptions): Promise<JobExit> {
    const { signal } = options;
    const startingUntil = Date.now() + STARTING_MS;
    for (let wait = FIRST_WAIT_MS;; wait *= 2) {
      signal.throwIfAborted();
      const { state, collected } = await this.#look(signal);
      const hasMore = collected !== undefined && await this.#deliver(collected, options);
      switch (state.kind) {
        case "gone":
          throw this.#gone();
        case "starting":
          if (Date.now() > startingUntil) return { kind: "vanished" };
          await systemClock.sleep(FIRST_WAIT_MS, { signal });
          break;
        case "running":
          // A channel of its own costs the account's start-up files: worth it for a long job only.
          if (hasMore || wait > LONGEST_WAIT_MS) await this.#stream("follow", options);
          else await systemClock.sleep(wait, { signal });
          break;
        case "ended":
          this.#outputFile = collected?.outputFile;
          if (!hasMore) return state.exit;
          await this.#stream("rest", options);
      }
    }
  }

  async kill(options: { graceMs: number; signal?: AbortSignal }): Promise<KillReport> {
    const report = await killTree(this.#link, options);
    this.#answer = undefined;
    return report;
  }

  async readOutputFile(): Promise<string> {
    if (this.#outputFile === undefined) {
      const { signal } = new AbortController();
      const { collected } = await this.#link.collect(this.#offset, signal);
      this.#outputFile = collected?.outputFile;
    }
    return this.#outputFile ?? "";
  }

  async remove(): Promise<void> {
    const { transport, identity } = this.#link;
    await this.#link.persist(() => removeJobs(transport, { root: identity.root, ids: [this.id] }));
  }

  async #look(signal: AbortSignal): Promise<JobAnswer> {
    const answer = this.#answer ?? await this.#link.collect(this.#offset, signal);
    this.#answer = undefined;
    return answer;
  }

  /** Whether there was more than one answer can bring. */
  async #deliver(collected: Collected, { onOutput }: FollowOptions): Promise<boolean> {
    for (const stream of ["stdout", "stderr"] as const) {
      const bytes = collected[stream];
      this.#offset[stream] += bytes.length;
      if (bytes.length > 0) await onOutput(stream, bytes);
    }
    return [collected.stdout, collected.stderr].some(({ length }) => length >= INLINE_BYTES);
  }

  async #stream(mode: "follow" | "rest", options: FollowOptions): Promise<void> {
    await streamJob(this.#link, {
      mode,
      offset: this.#offset,
      signal: options.signal,
      onOutput: async (stream, bytes) => {
        this.#offset[stream] += bytes.length;
        await options.onOutput(stream, bytes);
      },
    });
  }

  #gone(): GridError {
    return new GridError({
      code: "lost",
      message: `Cannot follow job "${this.id}": "${this.#link.node}" no longer has its folder`,
      node: this.#link.node,
    });
  }
}
