/** How a gang ends: all of its ranks, whoever was first, and what is left of them. */
import { toGridError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import type { StepHost, StepOutcome } from "../engine/ports.ts";
import { containerWords, endContainers } from "./container_job.ts";
import type { Rank, RankKill } from "./gang_rank.ts";
import { gangUsage } from "./gang_usage.ts";
import {
  aftermathWords,
  blameWords,
  lostInstead,
  type Verdict,
  verdictFailure,
} from "./gang_words.ts";
import { jobPrefix } from "./job_names.ts";
import type { JobSweep } from "./job_sweep.ts";
import type { Survivors } from "./survivors.ts";
import { onNode } from "./placement.ts";
import { failed } from "./run_failure.ts";
import type { RunRequest } from "./run_job.ts";
import { readOutputs } from "./run_outputs.ts";
import type { RunTrees } from "./run_trees.ts";
import { freshnessOf } from "./stale_result.ts";
import { unpreparedEnd } from "./unprepared.ts";

/** One whose node was lost: it may still run there. */
export interface LostRank {
  readonly step: string;
  readonly node: string;
  readonly job: string;
}

export interface EndingOptions {
  readonly host: StepHost;
  readonly sweep: JobSweep;
  readonly survivors: Survivors;
  /** Of earlier attempts of this run. */
  readonly lost: LostRank[];
  readonly trees?: RunTrees | undefined;
}

export class GangEnding {
  readonly #request: RunRequest;
  readonly #options: EndingOptions;

  constructor(request: RunRequest, options: EndingOptions) {
    this.#request = request;
    this.#options = options;
  }

  /** The first that failed is told, the others are ended. */
  async failed(ranks: readonly Rank[], verdict: Verdict): Promise<StepOutcome> {
    const { rank: first } = verdict;
    const { node, job, end } = first;
    const { signal } = this.#options.host;
    const said = verdict.kind === "exit" ? await first.lastFailure(signal) : undefined;
    const kills = await this.endAll(ranks, { rank: first, why: blameWords(verdict) });
    const request = onNode(this.#request, node);
    if (verdict.kind === "exit" && job && end && "exit" in end) {
      const options = { node, exit: end.exit, request, words: first.words };
      const unready = await unpreparedEnd(job, options);
      if (unready) {
        return { ...unready, ...outcomeWords(unready, aftermathWords(kills, { first })) };
      }
    }
    const failure = lostInstead(verdictFailure(verdict, said), kills);
    const aftermath = aftermathWords(kills, { first });
    return {
      status: "failed",
      failure: { ...failure, message: `${failure.message}; ${aftermath}` },
      aftermath,
      ...(failure.code === "timed-out" && isOfTime(verdict) && { isLate: true }),
    };
  }

  /** The signal asks to stop. */
  async cancelled(ranks: readonly Rank[]): Promise<StepOutcome> {
    const { signal } = this.#options.host;
    const [main] = ranks;
    if (main === undefined) throw signal.reason;
    const kills = await this.endAll(ranks, undefined);
    const outcome = failed(toGridError(signal.reason), { node: main.node, started: true });
    return { ...outcome, aftermath: aftermathWords(kills, { first: undefined }) };
  }

  /** All at once; what they end with is no result. */
  async endAll(
    ranks: readonly Rank[],
    blamed: { readonly rank: Rank; readonly why: string } | undefined,
  ): Promise<readonly { readonly rank: Rank; readonly kill: RankKill }[]> {
    const { killGraceMs } = this.#request;
    const kills = await Promise.all(ranks.map(async (rank) => {
      const hadEnded = rank.end !== undefined && "exit" in rank.end;
      const lost = rank.end && "error" in rank.end && rank.end.error.code === "lost";
      const kill: RankKill = lost
        ? { words: "out of reach; its node ends it by itself", isClear: false }
        : await this.#killed(rank, killGraceMs);
      if (kill.error?.code === "lost" || lost) this.rememberLost(rank);
      if (kill.isClear) this.#release(rank);
      if (!hadEnded && rank !== blamed?.rank) this.noteEnd(rank, "grid", kill.words);
      else if (rank === blamed?.rank && !hadEnded) {
        this.noteEnd(rank, "itself", `${blamed.why}; ended by Grid: ${kill.words}`);
      }
      return { rank, kill };
    }));
    this.#tellUsage(ranks);
    return kills;
  }

  #tellUsage(ranks: readonly Rank[]): void {
    const usage = gangUsage(ranks.flatMap(({ job }) => job?.usage ?? []));
    if (usage) this.#options.host.used?.(usage);
    for (const { words } of ranks) words.tellImage(this.#request.action, this.#options.host);
  }

  async #killed(rank: Rank, graceMs: number): Promise<RankKill> {
    const kill = await rank.kill(graceMs);
    if (this.#request.action.container === undefined || kill.report === undefined) return kill;
    const { node, spec } = rank;
    try {
      const containers = await endContainers(node.transport, { ...node, id: spec.id });
      const words = containerWords(kill.report, containers);
      return { ...kill, words, isClear: kill.isClear && containers.left.length === 0 };
    } catch (thrown) {
      const error = toGridError(thrown);
      const words = `${kill.words}; its container could not be asked for: ${error.message}`;
      return { ...kill, words, isClear: false, error };
    }
  }

  /** It may still run there. */
  rememberLost({ node, spec }: Rank): void {
    const { step } = this.#request;
    this.#options.lost.push({ step, node: node.node.name, job: spec.id });
  }

  /** All have ended well. */
  async succeeded(ranks: readonly Rank[]): Promise<StepOutcome> {
    const { host, trees } = this.#options;
    const request = this.#request;
    const isMasked = Object.keys(request.secrets).length > 0;
    try {
      const all = await Promise.all(
        ranks.map(async ({ index, node, spec, job, stdout }) =>
          await readOutputs(index === 0 ? onNode(request, node).outputs : [], {
            node,
            cwd: spec.cwd,
            outputFile: await job?.readOutputFile() ?? "",
            stdout: stdout.end(),
            isMasked,
            freshness: freshnessOf(trees, host),
            signal: host.signal,
          })
        ),
      );
      this.#tellUsage(ranks);
      for (const { job } of ranks) {
        for (const message of job?.warnings ?? []) {
          this.#options.host.note({ type: "warned", message });
        }
      }
      for (const rank of ranks) this.#release(rank);
      const list = ranks.map(({ index, node }): JsonValue => ({
        rank: index,
        node: node.node.name,
        exit: 0,
        outputs: all[index] ?? {},
      }));
      return { status: "succeeded", outputs: { ...all[0], ranks: list }, exitCode: 0 };
    } catch (thrown) {
      const [main] = ranks;
      if (main === undefined) throw thrown;
      return failed(toGridError(thrown), { node: main.node, started: true });
    }
  }

  #release({ node, spec, job }: Rank): void {
    if (job === undefined) return;
    const { sweep, survivors } = this.#options;
    const { step, killGraceMs, run } = this.#request;
    const { hasLeft, printedBytes } = job;
    const ended = { transport: node.transport, root: spec.root, id: spec.id };
    sweep.add({ ...ended, printedBytes }, { late: hasLeft });
    survivors.add({ ...ended, step, killGraceMs, hasLeft }, { prefix: jobPrefix(run) });
  }

  /** For the journal. */
  noteEnd({ index, node, end }: Rank, by: "itself" | "grid", words?: string): void {
    const exit = end !== undefined && "exit" in end ? end.exit : undefined;
    const how = by === "grid"
      ? `ended by Grid: ${words}`
      : exit?.kind === "signal"
      ? `ended by ${exit.signal}`
      : exit?.kind === "vanished"
      ? "left no exit code"
      : words;
    this.#options.host.note({
      type: "rank.ended",
      rank: index,
      node: node.node.name,
      by,
      ...(by === "itself" && exit?.kind === "code" && { exitCode: exit.code }),
      ...(how !== undefined && { words: how }),
    });
  }
}

/** A rank that went over a limit, and not one that met somebody else's. */
function isOfTime({ kind }: Verdict): boolean {
  return kind === "idle" || kind === "late";
}

function outcomeWords(outcome: StepOutcome, aftermath: string) {
  return outcome.status === "failed" ? { aftermath } : {};
}
