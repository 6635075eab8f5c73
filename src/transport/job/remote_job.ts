/** One supervised process as seen from the runner. */
import { monotonic, systemClock } from "../../core/clock.ts";
import { GridError } from "../../core/errors.ts";
import type { FollowOptions, Job, JobExit, KillReport } from "./job.ts";
import { killTree } from "./job_kill.ts";
import type { JobLink } from "./job_link.ts";
import { removeJobs } from "./job_list.ts";
import type { JobNews, StreamOffset } from "./job_turn.ts";
import type { Usage } from "../../core/usage.ts";
import { type NodeJobs, nodeJobs } from "./node_jobs.ts";

/** How long a job may stay between its state file and its supervisor's first word. */
const STARTING_MS = 10_000;
/** Between two looks at a job that is about to start. */
const STARTING_LOOK_MS = 100;

export class RemoteJob implements Job {
  readonly #link: JobLink;
  readonly #jobs: NodeJobs;
  /** Bytes handed on, per stream; where following goes on. */
  readonly #offset = { stdout: 0, stderr: 0 };
  /** What the start already told, until it is used. */
  #news: JobNews | undefined;
  #outputFile: string | undefined;
  readonly #warnings = new Set<string>();
  #hasLeft = false;
  #usage: Usage | undefined;

  constructor(link: JobLink, news: JobNews) {
    this.#link = link;
    this.#jobs = nodeJobs(link.transport, link.identity.root);
    this.#news = news;
  }

  get warnings(): readonly string[] {
    return [...this.#warnings];
  }

  get hasLeft(): boolean {
    return this.#hasLeft;
  }

  get printedBytes(): number {
    return this.#offset.stdout + this.#offset.stderr;
  }

  get usage(): Usage | undefined {
    return this.#usage;
  }

  get id(): string {
    return this.#link.identity.id;
  }

  async follow(options: FollowOptions): Promise<JobExit> {
    using _held = this.#isOver ? undefined : this.#jobs.hold(this.#link.identity);
    const startingUntil = monotonic() + STARTING_MS;
    const { signal } = options;
    for (let coming = this.#next(signal);;) {
      const news = await coming;
      // While this is handed on, what is known to be there already comes along.
      const more = news.hasMore ? this.#ask(this.#offsetAfter(news), signal) : undefined;
      more?.catch(() => {});
      await this.#deliver(news, options);
      signal.throwIfAborted();
      switch (news.state.kind) {
        case "gone":
          throw this.#gone();
        case "starting":
          if (monotonic() > startingUntil) return { kind: "vanished" };
          await systemClock.sleep(STARTING_LOOK_MS, { signal });
          break;
        case "running":
          break;
        case "ended":
          this.#outputFile = news.outputFile;
          this.#usage = news.usage;
          if (news.hasMore) break;
          this.#hasLeft = news.state.left ?? false;
          if (news.state.kept === "cut") this.#warnings.add(cut(this.#link.node));
          if (news.state.kept === "open") this.#warnings.add(open(this.#link.node));
          return news.state.exit;
      }
      coming = more ?? this.#next(signal);
    }
  }

  async kill(options: { graceMs: number; signal?: AbortSignal }): Promise<KillReport> {
    const report = await killTree(this.#link, options);
    this.#news = undefined;
    return report;
  }

  async readOutputFile(): Promise<string> {
    return this.#outputFile ??= (await this.#next()).outputFile;
  }

  async remove(): Promise<void> {
    const { transport, identity } = this.#link;
    await this.#link.persist(() => removeJobs(transport, { root: identity.root, ids: [this.id] }));
  }

  get #isOver(): boolean {
    return this.#news?.state.kind === "ended" && !this.#news.hasMore;
  }

  async #next(signal?: AbortSignal): Promise<JobNews> {
    signal?.throwIfAborted();
    const news = this.#news ?? await this.#ask({ ...this.#offset }, signal);
    this.#news = undefined;
    return news;
  }

  #ask(offset: StreamOffset, signal?: AbortSignal): Promise<JobNews> {
    const { leaseMs } = this.#link.identity;
    return this.#jobs.ask({ id: this.id, leaseMs, start: undefined, offset, signal });
  }

  #offsetAfter({ stdout, stderr }: JobNews): StreamOffset {
    return {
      stdout: this.#offset.stdout + stdout.length,
      stderr: this.#offset.stderr + stderr.length,
    };
  }

  async #deliver(news: JobNews, { onOutput }: FollowOptions): Promise<void> {
    for (const stream of ["stdout", "stderr"] as const) {
      const bytes = news[stream];
      this.#offset[stream] += bytes.length;
      if (bytes.length > 0) await onOutput(stream, bytes);
    }
  }

  /** Not `lost`: there is nothing to come back to, and whoever asks must end what still runs. */
  #gone(): GridError {
    return new GridError({
      code: "workspace",
      message: `Cannot follow job "${this.id}": "${this.#link.node}" no longer has its files`,
      hint: "something removed them from .grid/jobs in remote_root while the job ran",
      node: this.#link.node,
    });
  }
}

function open(node: string): string {
  return `"${node}" could not mask what the command printed, which lies there as it is until the run ` +
    "is over: it needs perl or python3, and pipes in remote_root";
}

function cut(node: string): string {
  return `"${node}" could not keep all that the command printed: is its disk full?`;
}
