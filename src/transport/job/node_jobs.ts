/**
 * All jobs of one node that this runner starts and follows, in one conversation over the node's shell:
 * each turn asks about all of them and ends with the first news. Nothing is lost with a turn: the next
 * one asks again from the same bytes on, and a start that is repeated attaches.
 */
import { monotonic } from "../../core/clock.ts";
import { GridError } from "../../core/errors.ts";
import { randomWord } from "../../core/ids.ts";
import { getLogger } from "../../core/log.ts";
import { thrownWords } from "../../core/refusal.ts";
import { AnswerSize } from "./answer_size.ts";
import { noteHeld } from "./held_jobs.ts";
import { isLinkFailure, isNeverSent, retryDelayMs, stayedAway } from "./job_link.ts";
import { jobLibrary } from "./job_script.ts";
import { type JobNews, longestTurn, parseTurn, type Question, turnCommand } from "./job_turn.ts";
import type { Transport } from "../transport.ts";

export interface Interest extends Pick<Question, "id" | "start" | "offset"> {
  readonly leaseMs: number;
  /** Answered with how things stand, news or not. */
  readonly atOnce?: boolean;
  readonly signal?: AbortSignal | undefined;
}

interface Pending extends Interest {
  /** Undefined once the node has answered it. */
  start: string | undefined;
  readonly isStart: boolean;
  /** The node may have got the start although no answer came. */
  maybeSent: boolean;
  /** Since when the node has not answered, on the monotonic clock. */
  failingSince: number | undefined;
  resolve(news: JobNews): void;
  reject(reason: unknown): void;
}

/** A job that runs no longer is told as one piece; its output is not waited for in between. */
const FRESH_MS = 80;
/** Fresh jobs at once: a thousand steps that may start together must not start as one. */
const FEW_FRESH = 4;
/** The same after as many have ended while they were fresh, and none has stayed: they make room at once. */
const MOST_FRESH = 8;
/** Longest time between two signs of life from and to the node. */
const LONGEST_TURN_MS = 5000;

/** About a second of tries. */
const QUIET_FAILURES = 3;

const log = getLogger("transport");
const known = new WeakMap<Transport, Map<string, NodeJobs>>();

/** The one conversation with this node about the jobs below this folder. */
export function nodeJobs(transport: Transport, root: string): NodeJobs {
  const roots = known.get(transport) ?? new Map<string, NodeJobs>();
  known.set(transport, roots);
  const jobs = roots.get(root) ?? new NodeJobs(transport, root);
  roots.set(root, jobs);
  return jobs;
}

export class NodeJobs {
  readonly #transport: Transport;
  readonly #root: string;
  readonly #pending = new Set<Pending>();
  /** Jobs that are followed, with the leases to be renewed, also while their reader is slow. */
  readonly #held = new Map<object, Pick<Interest, "id" | "leaseMs">>();
  /** When jobs were started, on the monotonic clock, as long as they are fresh. */
  readonly #fresh = new Map<string, number>();
  #mostFresh = FEW_FRESH;
  readonly #size = new AnswerSize();
  #turn: AbortController | undefined;
  /** Ends a pause between turns. */
  #wake: (() => void) | undefined;
  #isTalking = false;
  #failures = 0;
  #hasTold = false;

  constructor(transport: Transport, root: string) {
    this.#transport = transport;
    this.#root = root;
  }

  /**
   * Waits for news of a job. A start counts as news itself, once the command has had a moment to end.
   *
   * @throws {GridError} `step-failed` or `workspace` where the node refused to start it; a transport
   * code; `lost` when the node stayed away for longer than the lease; the signal's reason
   */
  async ask(interest: Interest): Promise<JobNews> {
    const { signal } = interest;
    signal?.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<JobNews>();
    const pending: Pending = {
      ...interest,
      isStart: interest.start !== undefined,
      maybeSent: false,
      failingSince: undefined,
      resolve,
      reject,
    };
    const onAbort = () => reject(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    this.#pending.add(pending);
    if (interest.start === undefined || this.#fresh.size < this.#mostFresh) this.#turn?.abort();
    this.#talk();
    this.#wake?.();
    return await promise.finally(() => {
      this.#pending.delete(pending);
      this.#wake?.();
      signal?.removeEventListener("abort", onAbort);
    });
  }

  /** Renews the job's lease until disposed. */
  hold(job: Pick<Interest, "id" | "leaseMs">): Disposable {
    const key = {};
    this.#held.set(key, job);
    const noted = noteHeld({
      endpoint: this.#transport.endpoint,
      root: this.#root,
      id: job.id,
      leaseMs: job.leaseMs,
    });
    this.#talk();
    return {
      [Symbol.dispose]: () => {
        noted[Symbol.dispose]();
        this.#held.delete(key);
        this.#wake?.();
      },
    };
  }

  #talk(): void {
    if (this.#isTalking) return;
    this.#isTalking = true;
    void this.#takeTurns();
  }

  async #takeTurns(): Promise<void> {
    while (this.#pending.size + this.#held.size > 0) {
      await this.#takeTurn();
      // Whoever follows a job will mostly ask for more.
      if (this.#pending.size === 0 && this.#held.size > 0) await this.#pause(0);
    }
    this.#isTalking = false;
  }

  async #takeTurn(): Promise<void> {
    const turn = new AbortController();
    this.#turn = turn;
    const asked = this.#admit();
    const timer = setTimeout(() => turn.abort(), this.#turnMs(asked));
    try {
      await this.#converse(asked, turn.signal);
      this.#tellBack();
    } catch (error) {
      for (const pending of asked) this.#fail(pending, error);
      if (this.#pending.size + this.#held.size > 0) {
        this.#tellLost(error);
        await this.#pause(retryDelayMs(this.#failures++));
      }
    } finally {
      clearTimeout(timer);
      this.#turn = undefined;
    }
  }

  /** Where a link is away for a moment only, nobody needs to know. */
  #tellLost(error: unknown): void {
    if (this.#failures !== QUIET_FAILURES) return;
    this.#hasTold = true;
    log.warn("{node}: {problem}; what runs there goes on, and Grid keeps trying to come back", {
      node: this.#transport.endpoint.name,
      problem: thrownWords(error),
    });
  }

  #tellBack(): void {
    this.#failures = 0;
    if (!this.#hasTold) return;
    this.#hasTold = false;
    log.warn("{node}: it is back", { node: this.#transport.endpoint.name });
  }

  async #pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#wake = resolve;
    await promise;
    this.#wake = undefined;
    clearTimeout(timer);
  }

  async #converse(asked: readonly Pending[], stop: AbortSignal): Promise<void> {
    const questions = this.#questions(asked);
    const credit = this.#size.creditFor(questions.length);
    const command = turnCommand(questions, { root: this.#root, word: randomWord(8), credit });
    const answer = await this.#size.watch(this.#transport.wait(command, {
      stop,
      library: jobLibrary(),
      maxBytes: longestTurn(questions, credit),
    }));
    const told = parseTurn(answer, { questions, node: this.#transport.endpoint.name });
    for (const [index, pending] of asked.entries()) {
      const news = told[index];
      if (news === undefined) continue;
      pending.failingSince = undefined;
      if (!(news instanceof GridError)) this.#noteShort(pending.id, news);
      if (news instanceof GridError) this.#settle(pending, () => pending.reject(news));
      else if (this.#isNews(news, pending)) this.#settle(pending, () => pending.resolve(news));
      else pending.start = undefined;
    }
  }

  /** Whoever is asked about in this turn; those that are to be started in their order. */
  #admit(): Pending[] {
    const now = monotonic();
    for (const [id, at] of this.#fresh) {
      if (now - at < FRESH_MS) continue;
      this.#fresh.delete(id);
      this.#mostFresh = FEW_FRESH;
    }
    return [...this.#pending].filter(({ id, start }) => {
      if (start === undefined || this.#fresh.has(id)) return true;
      if (this.#fresh.size >= this.#mostFresh) return false;
      this.#fresh.set(id, now);
      return true;
    });
  }

  #noteShort(id: string, { state }: JobNews): void {
    const isShort = state.kind === "ended" && this.#fresh.has(id);
    if (isShort && this.#mostFresh < MOST_FRESH) this.#mostFresh++;
  }

  /** That a job runs is news to its starter, once it is clear that it will not end at once. */
  #isNews({ state, stdout, stderr }: JobNews, { id, isStart, atOnce }: Pending): boolean {
    if (atOnce || state.kind !== "running" || stdout.length + stderr.length > 0) return true;
    const since = this.#fresh.get(id);
    return isStart && (since === undefined || monotonic() - since >= FRESH_MS);
  }

  #questions(asked: readonly Pending[]): Question[] {
    const ids = new Set(asked.map(({ id }) => id));
    const held = [...this.#held.values()].filter(({ id }) => !ids.has(id));
    return [
      ...asked.map(({ id, start, offset }): Question => ({
        id,
        start,
        offset,
        mode: this.#fresh.has(id) ? "fresh" : "old",
      })),
      ...held.map(({ id }): Question => ({
        id,
        start: undefined,
        offset: { stdout: 0, stderr: 0 },
        mode: "held",
      })),
    ];
  }

  /** Until somebody wants to know, or the node should hear of us again. */
  #turnMs(asked: readonly Pending[]): number {
    if (asked.some(({ atOnce }) => atOnce)) return 0;
    const now = monotonic();
    const fresh = asked.flatMap(({ id }) => this.#fresh.get(id) ?? [])
      .map((at) => at + FRESH_MS - now);
    const leases = [...asked, ...this.#held.values()].map(({ leaseMs }) => leaseMs / 3);
    return Math.max(0, Math.min(LONGEST_TURN_MS, ...fresh, ...leases));
  }

  #fail(pending: Pending, error: unknown): void {
    const now = monotonic();
    pending.failingSince ??= now;
    const neverSent = isNeverSent(error);
    const isHopeless = !isLinkFailure(error) ||
      (pending.start !== undefined && neverSent && !pending.maybeSent);
    if (!neverSent) pending.maybeSent = true;
    if (isHopeless) this.#settle(pending, () => pending.reject(error));
    else if (now - pending.failingSince > pending.leaseMs) {
      const node = this.#transport.endpoint.name;
      const reason = stayedAway(node, { job: pending.id, leaseMs: pending.leaseMs, cause: error });
      this.#settle(pending, () => pending.reject(reason));
    }
  }

  /** At once, so that the next turn does not ask again. */
  #settle(pending: Pending, settle: () => void): void {
    this.#pending.delete(pending);
    this.#fresh.delete(pending.id);
    settle();
  }
}
