/** One supervised process as seen from the runner. */
import { systemClock } from "../core/clock.ts";
import { GridError } from "../core/errors.ts";
import type { FollowOptions, Job, JobExit, KillReport } from "./job.ts";
import { INLINE_BYTES, type JobAnswer } from "./job_answer.ts";
import { killTree } from "./job_kill.ts";
import type { JobLink } from "./job_link.ts";
import { removeJobs } from "./job_list.ts";
import { streamJob } from "./job_stream.ts";

/** How long a job may stay between its folder and its supervisor's first word. */
const STARTING_MS = 10_000;
const STARTING_POLL_MS = 20;

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
    for (;;) {
      signal.throwIfAborted();
      const { state, collected } = await this.#look(signal);
      switch (state.kind) {
        case "gone":
          throw this.#gone();
        case "starting":
          if (Date.now() > startingUntil) return { kind: "vanished" };
          await systemClock.sleep(STARTING_POLL_MS, { signal });
          break;
        case "running":
          await this.#stream("follow", options);
          break;
        case "ended": {
          this.#outputFile = collected?.outputFile;
          const more = [
            await this.#deliver("stdout", collected?.stdout, options),
            await this.#deliver("stderr", collected?.stderr, options),
          ];
          if (!more.includes(true)) return state.exit;
          await this.#stream("rest", options);
        }
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

  /** Whether the stream goes on after these bytes. */
  async #deliver(
    stream: "stdout" | "stderr",
    bytes: Uint8Array = new Uint8Array(0),
    { onOutput }: FollowOptions,
  ): Promise<boolean> {
    this.#offset[stream] += bytes.length;
    if (bytes.length > 0) await onOutput(stream, bytes);
    return bytes.length === INLINE_BYTES;
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
