/**
 * A `run` step on many nodes: all of them claimed, then all of its commands held at one barrier, then one
 * release; the first that fails ends the others.
 */
import type { OpenNode } from "../cluster/node.ts";
import { gangStepWords } from "../cluster/gang_step.ts";
import { holdPort } from "../cluster/gang_port.ts";
import { formatDuration } from "../core/duration.ts";
import { GridError, toGridError } from "../core/errors.ts";
import type { StepOutcome } from "../engine/ports.ts";
import type { ResumeJob } from "../engine/resume_job.ts";
import type { Gang } from "../pipeline/gang.ts";
import type { JobSpec } from "../transport/job/job.ts";
import { type GangPlace, placeGang } from "./gang_place.ts";
import { type Again, holdAll } from "./gang_barrier.ts";
import { type EndingOptions, GangEnding } from "./gang_ending.ts";
import { Rank } from "./gang_rank.ts";
import {
  holdBack,
  NOT_RELEASED_EXIT,
  NOT_RELEASED_OUTPUT,
  rankVariables,
  withoutForeign,
} from "./gang_variables.ts";
import { firstVerdict } from "./gang_watch.ts";
import type { Verdict } from "./gang_words.ts";
import { MOST_CHOICES } from "./gpu_claim.ts";
import { isAbandoned, newRankId } from "./job_names.ts";
import { onNode } from "./placement.ts";
import { failed } from "./run_failure.ts";
import { jobSpec, type RunRequest, statePrelude } from "./run_job.ts";
import type { RunStepOptions } from "./run_options.ts";
import { TreeGate } from "./tree_gate.ts";

/** A node that is silent for so long is lost to its gang, long before other jobs would give it up. */
const LONGEST_LEASE_MS = 60_000;
/** How much longer than the runner a rank waits for its release. */
const HOLD_SLACK_MS = 60_000;

export interface GangOptions extends RunStepOptions, EndingOptions {
  readonly gang: Gang;
}

export function runGang(request: RunRequest, options: GangOptions): Promise<StepOutcome> {
  return new GangAttempt(request, options).run();
}

class GangAttempt {
  readonly #request: RunRequest;
  readonly #options: GangOptions;
  readonly #ending: GangEnding;

  constructor(request: RunRequest, options: GangOptions) {
    this.#request = request;
    this.#options = options;
    this.#ending = new GangEnding(request, options);
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
      const held = await holdAll(ranks, {
        ...{ place, host, gang, signal, ending: this.#ending },
        late: late.signal,
        gate: (node) => this.#gate(node),
      });
      clearTimeout(timer);
      if (held !== undefined) return held;
      return await this.#endBy(await this.#verdict(ranks), ranks);
    } catch (thrown) {
      if (ranks.length > 0) await this.#ending.endAll(ranks, undefined);
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
      const { words } = place.wish;
      const own = { step: this.#request.step, nodes: place.nodes.length, rank: index };
      const wish = { ...place.wish, words: { ...words, step: gangStepWords(own) } };
      const { prelude: claim } = await cluster.claim(node, wish, { signal: host.signal });
      return this.#spec(node, id, { place, index, claim });
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
    at?: { readonly place: GangPlace; readonly index: number; readonly claim: string },
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
      statePrelude(request, { node, former: trees?.run.formerProjects }),
      at.claim,
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
      await this.#ending.endAll(ranks, undefined);
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
    const verdict = await this.#verdict(ranks);
    if (typeof verdict === "object" && verdict.kind === "exit" && await isLeft(verdict)) {
      await this.#ending.endAll(ranks, undefined);
      this.#warn("its earlier ranks ended while no runner was there; all of them start again");
      return "over";
    }
    return await this.#endBy(verdict, ranks);
  }

  #verdict(ranks: readonly Rank[]): ReturnType<typeof firstVerdict> {
    const { host, gang } = this.#options;
    const onEnded = (rank: Rank) => this.#ending.noteEnd(rank, "itself");
    return firstVerdict(ranks, { gang, host, onEnded });
  }

  async #endBy(
    verdict: Awaited<ReturnType<typeof firstVerdict>>,
    ranks: readonly Rank[],
  ): Promise<StepOutcome> {
    if (verdict === "cancelled") return await this.#ending.cancelled(ranks);
    if (verdict === "succeeded") return await this.#ending.succeeded(ranks);
    return await this.#ending.failed(ranks, verdict);
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

function tooLate({ startWithinMs }: Gang): GridError {
  return new GridError({
    code: "no-node",
    message: `Cannot start on many nodes: not ready after ${formatDuration(startWithinMs)}`,
    hint: "nodes.start-within: 5m gives them more time",
  });
}
