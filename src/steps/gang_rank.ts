/** One rank of a gang: its job on its node, from the start to the last process. */
import type { OpenNode } from "../cluster/node.ts";
import { monotonic } from "../core/clock.ts";
import { type GridError, toGridError } from "../core/errors.ts";
import { quote } from "../core/shell.ts";
import type { StepHost } from "../engine/ports.ts";
import type { Job, JobExit, JobSpec, KillReport } from "../transport/job/job.ts";
import { endJob } from "../transport/job/job_ending.ts";
import { attachJob, putJobFile, startJob } from "../transport/job/job_start.ts";
import { RankLines } from "./gang_lines.ts";
import { GO_FILE, READY_FILE } from "./gang_variables.ts";
import { LastWords } from "./last_words.ts";
import { survivorWords } from "./run_failure.ts";
import { TextTail } from "./text_tail.ts";

/** Characters of stdout that a declared output is looked for in. */
const TAIL_CHARACTERS = 2 ** 20;
/** Of what a rank says of its own failure. */
const LONGEST_REASON = 300;

/** How long the node of a rank that has ended may take to say what that wrote. */
const SAID_MS = 10_000;

/** How following a rank ended. */
export type RankEnd = { readonly exit: JobExit } | { readonly error: GridError };

export class Rank {
  readonly index: number;
  readonly node: OpenNode;
  readonly spec: JobSpec;
  readonly words = new LastWords();
  readonly stdout = new TextTail(TAIL_CHARACTERS);
  job: Job | undefined;
  end: RankEnd | undefined;
  /** When it printed last, on the monotonic clock. */
  signedAt = monotonic();
  readonly #lines: Readonly<Record<"stdout" | "stderr", RankLines>>;
  readonly #enough = new AbortController();
  #following: Promise<RankEnd> | undefined;

  constructor(
    index: number,
    { node, spec, host }: {
      readonly node: OpenNode;
      readonly spec: JobSpec;
      readonly host: StepHost;
    },
  ) {
    this.index = index;
    this.node = node;
    this.spec = spec;
    const prefix = `[${index} ${node.node.name}] `;
    const lines = (stream: "stdout" | "stderr") =>
      new RankLines(prefix, (bytes) => host.output(stream, bytes));
    this.#lines = { stdout: lines("stdout"), stderr: lines("stderr") };
  }

  /** `rank 1 on "g2"`. */
  get name(): string {
    return `rank ${this.index} on "${this.node.node.name}"`;
  }

  /** @throws {GridError} as `startJob` */
  async start(): Promise<void> {
    this.job = await startJob(this.node.transport, this.spec);
  }

  /** Whether its node knows the job. @throws {GridError} a transport code */
  async attach(): Promise<boolean> {
    this.job = await attachJob(this.node.transport, this.spec);
    return this.job !== undefined;
  }

  /** Whether it has done all that comes before its command. */
  async isReady(signal: AbortSignal): Promise<boolean> {
    const { stdout } = await this.node.transport.exec(
      `[ ! -e ${this.#file(READY_FILE)} ] || echo ready`,
      { signal },
    );
    return stdout.trim() === "ready";
  }

  async release(): Promise<void> {
    await putJobFile(this.node.transport, this.spec, { name: GO_FILE, content: "go\n" });
  }

  /** What the command has written of its own failure; undefined where it has not. */
  async ownFailure(signal: AbortSignal): Promise<string | undefined> {
    const file = this.#file("value.GRID_FAIL");
    const { stdout } = await this.node.transport.exec(
      `[ ! -s ${file} ] || head -c ${LONGEST_REASON} ${file}`,
      { signal },
    );
    const [line = ""] = stdout.trim().split("\n");
    return stdout === "" ? undefined : line.trim() || "it said so";
  }

  /** The same of one that has ended; undefined, too, where its node says nothing any more. */
  async lastFailure(signal: AbortSignal): Promise<string | undefined> {
    const soon = AbortSignal.any([signal, AbortSignal.timeout(SAID_MS)]);
    return await this.ownFailure(soon).catch(() => undefined);
  }

  /** Until it ends or `stop` is called; the same promise for all that ask. */
  follow(): Promise<RankEnd> {
    return this.#following ??= this.#follow();
  }

  async #follow(): Promise<RankEnd> {
    const { job } = this;
    if (job === undefined) throw new Error("not started");
    try {
      const exit = await job.follow({
        signal: this.#enough.signal,
        onOutput: (stream, bytes) => this.#print(stream, bytes),
      });
      await this.#flush();
      return this.end = { exit };
    } catch (error) {
      return this.end = { error: toGridError(error) };
    }
  }

  #print(stream: "stdout" | "stderr", bytes: Uint8Array): Promise<void> {
    this.signedAt = monotonic();
    if (stream === "stdout") this.stdout.push(bytes);
    this.words.push(stream, bytes);
    return this.#lines[stream].push(bytes);
  }

  async #flush(): Promise<void> {
    await this.#lines.stdout.end();
    await this.#lines.stderr.end();
  }

  /** Ends all that it has started. Nothing of it runs afterwards, or is named. */
  async kill(graceMs: number): Promise<RankKill> {
    const { job } = this;
    if (job === undefined) return { words: "0 survivors (processes)", isClear: true };
    this.#enough.abort(new Error("enough"));
    await this.#following?.catch(() => {});
    try {
      const report = await endJob(job, {
        graceMs,
        onOutput: (stream, bytes) => this.#print(stream, bytes),
      });
      await this.#flush();
      const words = survivorWords(report, { script: this.spec.command });
      return { words, isClear: report.survivors.length === 0, report };
    } catch (thrown) {
      const error = toGridError(thrown);
      const words = `its processes could not be ended: ${error.message}`;
      return { words, isClear: false, error };
    }
  }

  #file(end: string): string {
    return quote(`${this.spec.root}/.grid/jobs/${this.spec.id}.${end}`);
  }
}

export interface RankKill {
  /** What is left of it. */
  readonly words: string;
  /** Nothing. */
  readonly isClear: boolean;
  /** Undefined where nobody looked. */
  readonly report?: KillReport;
  /** Why nobody knows. */
  readonly error?: GridError;
}
