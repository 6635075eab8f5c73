/**
 * A `run` step on many nodes: all of them claimed, then all of its commands held at one barrier, then one
 * release; the first that fails ends the others.
 */
import type { OpenNode } from "../cluster/node.ts";
import { holdPort, isTaken } from "../cluster/gang_port.ts";
import { formatDuration } from "../core/duration.ts";
import { GridError, toGridError } from "../core/errors.ts";
import type { JsonValue } from "../core/json.ts";
import type { ResumeJob, StepHost, StepOutcome } from "../engine/ports.ts";
import type { Gang } from "../pipeline/gang.ts";
import type { JobSpec } from "../transport/job/job.ts";
import { mayHaveStarted } from "../transport/job/job_start.ts";
import { endContainers } from "./container_job.ts";
import { type GangPlace, placeGang } from "./gang_place.ts";
import { Rank, type RankKill } from "./gang_rank.ts";
import {
  holdBack,
  NOT_RELEASED_EXIT,
  NOT_RELEASED_OUTPUT,
  rankVariables,
  withoutForeign,
} from "./gang_variables.ts";
import { firstVerdict } from "./gang_watch.ts";
import {
  aftermathWords,
  lostInstead,
  notReady,
  type Verdict,
  verdictFailure,
} from "./gang_words.ts";
import { gpuLost, isGpuLost, MOST_CHOICES } from "./gpu_lease.ts";
import { isAbandoned, jobPrefix, newRankId } from "./job_names.ts";
import type { JobSweep } from "./job_sweep.ts";
import type { Leftovers } from "./leftovers.ts";
import { onNode } from "./placement.ts";
import { failed } from "./run_failure.ts";
import { jobSpec, type RunRequest, statePrelude } from "./run_job.ts";
import type { RunStepOptions } from "./run_options.ts";
import { readOutputs } from "./run_outputs.ts";
import { TreeGate } from "./tree_gate.ts";
import { unpreparedEnd } from "./unprepared.ts";

/** A node that is silent for so long is lost to its gang, long before other jobs would give it up. */
const LONGEST_LEASE_MS = 60_000;
/** Between two looks at ranks that are still getting ready. */
const READY_LOOK_MS = 100;
/** How much longer than the runner a rank waits for its release. */
const HOLD_SLACK_MS = 60_000;

/** One whose node was lost: it may still run there. */
export interface LostRank {
  readonly step: string;
  readonly node: string;
  readonly job: string;
}

export interface GangOptions extends RunStepOptions {
  readonly host: StepHost;
  readonly gang: Gang;
  readonly sweep: JobSweep;
  readonly leftovers: Leftovers;
  /** Of earlier attempts of this run. */
  readonly lost: LostRank[];
}

export function runGang(request: RunRequest, options: GangOptions): Promise<StepOutcome> {
  return new GangAttempt(request, options).run();
}

/** Nothing of it has run, and another choice of nodes may go better. */
interface Again {
  readonly again: StepOutcome;
  /** Where not to go. */
  readonly avoid: readonly string[];
}

class GangAttempt {
  readonly #request: RunRequest;
  readonly #options: GangOptions;

  constructor(request: RunRequest, options: GangOptions) {
    this.#request = request;
    this.#options = options;
  }

  async run(): Promise<StepOutcome> {
    const { resumeJob } = this.#request;
    if (resumeJob !== undefined) {
      const taken = await this.#takeOver(resumeJob);
      if (taken !== "over") return taken;
    }
    const avoid: string[] = [];
    for (let choice = 1;; choice++) {
      const outcome = await this.#once(avoid);
      if (!("again" in outcome)) return outcome;
      if (choice === MOST_CHOICES) return outcome.again;
      const { failure } = outcome.again as Extract<StepOutcome, { status: "failed" }>;
      this.#warn(`chooses nodes once more, nothing has run: ${failure.message}`);
      avoid.push(...outcome.avoid);
    }
  }

  async #once(avoid: readonly string[]): Promise<StepOutcome | Again> {
    const { host, gang, cluster } = this.#options;
    const late = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const within = () => {
      timer ??= setTimeout(() => late.abort(tooLate(gang)), gang.startWithinMs);
      return late.signal;
    };
    const ranks: Rank[] = [];
    try {
      await using place = await placeGang(this.#request, { host, cluster, gang, avoid, within });
      within();
      ranks.push(...await this.#ranksAt(place));
      await this.#endLost(place.nodes);
      const signal = AbortSignal.any([host.signal, late.signal]);
      const held = await this.#hold(ranks, { place, signal, late: late.signal });
      clearTimeout(timer);
      if (held !== undefined) return held;
      return await this.#attend(ranks);
    } catch (thrown) {
      if (ranks.length > 0) await this.#endAll(ranks, undefined);
      host.signal.throwIfAborted();
      const error = toGridError(thrown);
      if (error.code === "bug") throw thrown;
      const node = ranks[0]?.node;
      if (node === undefined) throw thrown;
      return failed(error, { node, started: false });
    } finally {
      clearTimeout(timer);
    }
  }

  async #ranksAt(place: GangPlace): Promise<readonly Rank[]> {
    const { host, cluster } = this.#options;
    this.#warnOfCode(place.nodes);
    const specs = await Promise.all(place.nodes.map(async (node, index) => {
      const id = newRankId(this.#request, index);
      const lease = await cluster.lease(node, place.wish, { signal: host.signal });
      return this.#spec(node, id, { place, index, lease });
    }));
    const ranks = place.nodes.flatMap((node, index) => {
      const spec = specs[index];
      return spec ? [new Rank(index, { node, spec, host })] : [];
    });
    // Rank 0 is the last: where its name is journaled, those of all others are.
    for (const { index, node, spec } of ranks.toReversed()) {
      const { id: job, cwd: folder } = spec;
      host.note({ type: "job.started", rank: index, node: node.node.name, job, folder });
    }
    return ranks;
  }

  #spec(
    node: OpenNode,
    id: string,
    at?: { readonly place: GangPlace; readonly index: number; readonly lease: string },
  ): JobSpec {
    const { trees, gang, leaseMs = LONGEST_LEASE_MS } = this.#options;
    const request = onNode(this.#request, node);
    const set = new Set([
      ...Object.keys(request.env),
      ...Object.keys(request.secrets),
      ...Object.keys(node.node.environment?.env ?? {}),
    ]);
    const prelude = at === undefined ? "" : [
      this.#gate(node).prelude(id),
      statePrelude(request, node),
      at.lease,
      withoutForeign(set),
      at.index === 0 ? holdPort(at.place.world.port) : "",
      holdBack(gang.startWithinMs + HOLD_SLACK_MS),
    ].join("");
    return jobSpec({
      ...this.#options,
      request,
      id,
      leaseMs: Math.min(leaseMs, LONGEST_LEASE_MS),
      hasInput: false,
      project: trees?.run.project,
    }, {
      node,
      prelude,
      gang: at && rankVariables(at.place.world, { rank: at.index, set }),
    });
  }

  /** All jobs made and held, then all released at once; an outcome where that did not come about. */
  async #hold(
    ranks: readonly Rank[],
    { place, signal, late }: {
      readonly place: GangPlace;
      readonly signal: AbortSignal;
      readonly late: AbortSignal;
    },
  ): Promise<StepOutcome | Again | undefined> {
    const { host, gang } = this.#options;
    // Whoever gives up must know of all that were started.
    const starts = await Promise.allSettled(ranks.map((rank) => rank.start()));
    for (const [index, start] of starts.entries()) {
      const rank = ranks[index];
      if (start.status === "fulfilled" || rank === undefined) continue;
      if (mayHaveStarted(start.reason)) this.#rememberLost(rank);
    }
    const unstarted = starts.find((start) => start.status === "rejected");
    if (unstarted) throw unstarted.reason;
    const ready = new Set<Rank>();
    const early = Promise.race(ranks.map(async (rank) => {
      await rank.follow();
      return rank;
    }));
    const all = this.#allReady(ranks, ready, signal);
    const ended = await Promise.race([early, all.then(() => undefined, () => undefined)]);
    if (ended !== undefined) return await this.#endedEarly(ended, ranks);
    if (host.signal.aborted) return await this.#cancelled(ranks);
    if (late.aborted) {
      const missing = ranks.filter((rank) => !ready.has(rank));
      await this.#endAll(ranks, undefined);
      const avoid = missing.map(({ node }) => node.node.name);
      return { again: notReady(missing, gang.startWithinMs), avoid };
    }
    await all;
    const [main] = place.nodes;
    if (main && await isTaken(main, place.world.port, signal)) {
      await this.#endAll(ranks, undefined);
      const error = new GridError({
        code: "conflict",
        message: `Cannot start on many nodes: port ${place.world.port} of "${main.node.name}" ` +
          "was taken in the meantime",
        node: main.node.name,
      });
      return { again: failed(error, { node: main, started: false }), avoid: [] };
    }
    await Promise.all(ranks.map((rank) => rank.release()));
    return undefined;
  }

  async #allReady(
    ranks: readonly Rank[],
    ready: Set<Rank>,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock } = this.#options.host;
    await Promise.all(ranks.map(async (rank) => {
      while (!await rank.isReady(signal)) await clock.sleep(READY_LOOK_MS, { signal });
      ready.add(rank);
    }));
  }

  /** One could not even stand ready: others took its GPUs, its code is not the run's, or it is out of reach. */
  async #endedEarly(rank: Rank, ranks: readonly Rank[]): Promise<StepOutcome | Again> {
    await this.#endAll(ranks, undefined);
    if (this.#options.host.signal.aborted) return await this.#cancelled(ranks);
    const { node, job, end } = rank;
    if (end === undefined || job === undefined) throw new Error("it has not ended");
    if ("error" in end) return failed(end.error, { node, started: false });
    const { exit } = end;
    if (await isGpuLost(job, { exit, node })) {
      return { again: failed(gpuLost(node), { node, started: false }), avoid: [] };
    }
    const denied = await this.#gate(node).denial(job, exit);
    if (denied) return failed(denied, { node, started: false });
    const error = new GridError({
      code: "step-failed",
      message: `Cannot start on many nodes: ${rank.name} ended before it was ready`,
      node: node.node.name,
    });
    return failed(error, { node, started: false });
  }

  /** From the release on, or from another runner's. */
  async #attend(ranks: readonly Rank[]): Promise<StepOutcome> {
    const { host, gang } = this.#options;
    const verdict = await firstVerdict(ranks, {
      gang,
      host,
      onEnded: (rank) => this.#noteEnd(rank, "itself"),
    });
    if (verdict === "cancelled") return await this.#cancelled(ranks);
    if (verdict === "succeeded") return await this.#succeeded(ranks);
    return await this.#failed(ranks, verdict);
  }

  async #failed(ranks: readonly Rank[], verdict: Verdict): Promise<StepOutcome> {
    const { rank: first } = verdict;
    const { node, job, end } = first;
    const kills = await this.#endAll(ranks, first);
    const request = onNode(this.#request, node);
    if (verdict.kind === "exit" && job && end && "exit" in end) {
      const options = { node, exit: end.exit, request, words: first.words };
      const unready = await unpreparedEnd(job, options);
      if (unready) {
        return { ...unready, ...outcomeWords(unready, aftermathWords(kills, { first })) };
      }
    }
    const failure = lostInstead(verdictFailure(verdict), kills);
    const aftermath = aftermathWords(kills, { first });
    return {
      status: "failed",
      failure: { ...failure, message: `${failure.message}; ${aftermath}` },
      aftermath,
    };
  }

  async #cancelled(ranks: readonly Rank[]): Promise<StepOutcome> {
    const { signal } = this.#options.host;
    const [main] = ranks;
    if (main === undefined) throw signal.reason;
    const kills = await this.#endAll(ranks, undefined);
    const outcome = failed(toGridError(signal.reason), { node: main.node, started: true });
    return { ...outcome, aftermath: aftermathWords(kills, { first: undefined }) };
  }

  /** All at once; what they end with is no result. */
  async #endAll(
    ranks: readonly Rank[],
    first: Rank | undefined,
  ): Promise<readonly { readonly rank: Rank; readonly kill: RankKill }[]> {
    const { killGraceMs } = this.#request;
    return await Promise.all(ranks.map(async (rank) => {
      const hadEnded = rank.end !== undefined && "exit" in rank.end;
      const lost = rank.end && "error" in rank.end && rank.end.error.code === "lost";
      const kill: RankKill = lost
        ? { words: "out of reach; its node ends it by itself", isClear: false }
        : await this.#killed(rank, killGraceMs);
      if (kill.error?.code === "lost" || lost) this.#rememberLost(rank);
      if (kill.isClear) this.#release(rank);
      if (!hadEnded && rank !== first) this.#noteEnd(rank, "grid", kill.words);
      else if (rank === first && !hadEnded) this.#noteEnd(rank, "itself", kill.words);
      return { rank, kill };
    }));
  }

  async #killed(rank: Rank, graceMs: number): Promise<RankKill> {
    const kill = await rank.kill(graceMs);
    if (this.#request.action.container === undefined || rank.job === undefined) return kill;
    const { node, spec } = rank;
    await endContainers(node.transport, { ...node, id: spec.id });
    return kill;
  }

  #rememberLost({ node, spec }: Rank): void {
    const { step } = this.#request;
    this.#options.lost.push({ step, node: node.node.name, job: spec.id });
  }

  /** What an earlier attempt may have left on a node that is back. */
  async #endLost(nodes: readonly OpenNode[]): Promise<void> {
    const { lost, host } = this.#options;
    const { step, killGraceMs } = this.#request;
    const here = lost.filter((each) => each.step === step);
    await Promise.all(here.map(async (each) => {
      const node = nodes.find(({ node }) => node.name === each.node);
      if (node === undefined) return;
      const rank = new Rank(0, { node, spec: this.#spec(node, each.job), host });
      if (await rank.attach()) await rank.kill(killGraceMs);
      lost.splice(lost.indexOf(each), 1);
    }));
  }

  async #succeeded(ranks: readonly Rank[]): Promise<StepOutcome> {
    const { host } = this.#options;
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
            signal: host.signal,
          })
        ),
      );
      const [usage] = ranks.flatMap(({ job }) => job?.usage ?? []);
      if (usage) host.used?.(usage);
      for (const { job } of ranks) {
        for (const message of job?.warnings ?? []) this.#warn(message);
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

  /** Goes on with an earlier runner's gang where all of it is there; else nothing of it may be left. */
  async #takeOver({ ranks: earlier = [] }: ResumeJob): Promise<StepOutcome | "over"> {
    const { host, gang, cluster } = this.#options;
    const ranks = await Promise.all(earlier.map(async ({ rank, node: name, job }) => {
      const node = await cluster.open(name, { signal: host.signal });
      return new Rank(rank, { node, spec: this.#spec(node, job), host });
    }));
    const known = await Promise.all(ranks.map((rank) => rank.attach()));
    const isWhole = ranks.length === gang.count && known.every((is) => is) &&
      earlier.every(({ isOver }) => !isOver);
    if (!isWhole) {
      await this.#endAll(ranks, undefined);
      this.#warn("its earlier ranks are not all there any more; all of them start again");
      return "over";
    }
    for (const { index, node, spec } of ranks.toReversed()) {
      const { id: job, cwd: folder } = spec;
      host.note({ type: "node.chosen", rank: index, node: node.node.name });
      host.note({ type: "job.started", rank: index, node: node.node.name, job, folder });
    }
    // Its runner may have died between the first release and the last.
    await Promise.all(ranks.map((rank) => rank.release()));
    const verdict = await firstVerdict(ranks, {
      gang,
      host,
      onEnded: (rank) => this.#noteEnd(rank, "itself"),
    });
    if (verdict === "cancelled") return await this.#cancelled(ranks);
    if (verdict === "succeeded") return await this.#succeeded(ranks);
    if (verdict.kind === "exit" && await isLeft(verdict)) {
      await this.#endAll(ranks, undefined);
      this.#warn("its earlier ranks ended while no runner was there; all of them start again");
      return "over";
    }
    return await this.#failed(ranks, verdict);
  }

  #release({ node, spec, job }: Rank): void {
    if (job === undefined) return;
    const { sweep, leftovers } = this.#options;
    const { step, killGraceMs, run } = this.#request;
    const { hasLeft } = job;
    const ended = { transport: node.transport, root: spec.root, id: spec.id };
    sweep.add(ended, { late: hasLeft });
    leftovers.add({ ...ended, step, killGraceMs, hasLeft }, { prefix: jobPrefix(run) });
  }

  #noteEnd({ index, node, end }: Rank, by: "itself" | "grid", words?: string): void {
    const exit = end !== undefined && "exit" in end ? end.exit : undefined;
    const how = by === "grid"
      ? `ended by Grid: ${words}`
      : exit?.kind === "signal"
      ? `ended by ${exit.signal}`
      : exit?.kind === "vanished"
      ? "left no exit code"
      : end !== undefined && "error" in end
      ? end.error.message
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

  /** A gang of which one has the code and another has not is hardly meant. */
  #warnOfCode(nodes: readonly OpenNode[]): void {
    const { folders } = this.#request;
    const names = nodes.map(({ node }) => node.name);
    const without = names.filter((name) => !Object.hasOwn(folders, name));
    if (without.length === 0 || without.length === names.length) return;
    this.#warn(
      `no code was synced to ${without.join(", ")}, where it has ranks: sync: { to: all }`,
    );
  }

  #warn(message: string): void {
    this.#options.host.note({ type: "warned", message });
  }

  #gate(node: OpenNode): TreeGate {
    return new TreeGate(node, { ...this.#options, request: this.#request });
  }
}

/** It ended because its runner was away, or was never told to begin. */
async function isLeft({ rank, exit }: Extract<Verdict, { kind: "exit" }>): Promise<boolean> {
  if (isAbandoned(exit)) return true;
  if (exit.kind !== "code" || exit.code !== NOT_RELEASED_EXIT) return false;
  return (await rank.job?.readOutputFile())?.startsWith(NOT_RELEASED_OUTPUT.trim()) ?? false;
}

function outcomeWords(outcome: StepOutcome, aftermath: string) {
  return outcome.status === "failed" ? { aftermath } : {};
}

function tooLate({ startWithinMs }: Gang): GridError {
  return new GridError({
    code: "no-node",
    message: `Cannot start on many nodes: not ready after ${formatDuration(startWithinMs)}`,
    hint: "nodes.start-within: 5m gives them more time",
  });
}
