/**
 * All that this process has on the nodes: what it has placed, what it says of that there, and the GPUs that
 * it holds; kept up as long as there is any of it.
 */
import type { Clock } from "../core/clock.ts";
import { getLogger } from "../core/log.ts";
import type { Transport } from "../transport/transport.ts";
import type { HealthCheck } from "./health.ts";
import { Holds } from "./holds.ts";
import type { Node } from "./node.ts";
import type { Placements } from "./placements.ts";
import { Presence } from "./presence.ts";

export interface CrewDeps {
  readonly placements: Placements;
  readonly health: Pick<HealthCheck, "hear">;
  readonly clock: Clock;
  readonly project: string;
  readonly transport: (node: Node) => Transport;
}

/** Between two looks at what has to be said again. */
const KEEP_UP_MS = 5000;
/** Holds are said again each so many looks. */
const HOLD_LOOKS = 3;

const log = getLogger("cluster");

export class Crew implements Disposable {
  readonly placements: Placements;
  readonly presence: Presence;
  readonly holds: Holds;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  readonly #givingBack = new Set<Promise<unknown>>();
  #keepingUp: AbortController | undefined;
  #freed = Promise.withResolvers<void>();

  constructor({ placements, health, clock, project, transport }: CrewDeps) {
    const { owner } = placements;
    this.placements = placements;
    this.#clock = clock;
    this.presence = new Presence({
      clock,
      owner,
      project,
      transport,
      countOn: (node) => placements.countOn(node),
      hear: (node, work) => health.hear(node, work),
    });
    this.holds = new Holds({ owner, project, transport });
  }

  /** From now on there is something to be kept up. */
  keepUp(): void {
    if (this.#keepingUp !== undefined || this.#closing.signal.aborted) return;
    const own = new AbortController();
    this.#keepingUp = own;
    const signal = AbortSignal.any([own.signal, this.#closing.signal]);
    this.#keepUp(signal).catch(() => {}).finally(() => {
      if (this.#keepingUp === own) this.#keepingUp = undefined;
    });
  }

  async #keepUp(signal: AbortSignal): Promise<void> {
    for (let look = 1; this.#hasAny; look++) {
      await this.#clock.sleep(KEEP_UP_MS, { signal });
      const { presence, holds } = this;
      await Promise.all(presence.due.map((node) => presence.tell(node).catch(() => {})));
      // What cannot be reached now is said again the next time.
      const lost = look % HOLD_LOOKS === 0 ? await holds.renew().catch(() => []) : [];
      for (const words of lost) log.warn(words);
    }
  }

  /** Until some work of this process is over, or the time: whoever waits may have a look. */
  async pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
    const end = new AbortController();
    const timer = this.#clock.sleep(ms, {
      signal: signal === undefined ? end.signal : AbortSignal.any([signal, end.signal]),
    });
    try {
      await Promise.race([timer, this.#freed.promise]);
    } finally {
      timer.catch(() => {});
      end.abort();
    }
    signal?.throwIfAborted();
  }

  get #hasAny(): boolean {
    return this.presence.isTold || this.holds.any;
  }

  /** The work is over; its nodes hear of it in a moment. */
  release(holder: string): void {
    const placed = this.placements.release(holder);
    if (placed === undefined || this.#closing.signal.aborted) return;
    const { node } = placed;
    this.#giveBack(
      this.holds.release(holder).catch(() => {}).finally(() => {
        this.#freed.resolve();
        this.#freed = Promise.withResolvers<void>();
      }),
    );
    // A burst of short jobs is not told one by one.
    if (this.placements.countOn(node) === 0 && this.presence.isToldOn(node)) {
      this.#giveBack(this.presence.tell(node).catch(() => {}));
    }
    if (!this.#hasAny) this.#keepingUp?.abort();
  }

  /** When the nodes have heard of all that was released, or cannot. */
  async released(): Promise<void> {
    while (this.#givingBack.size > 0) await Promise.all(this.#givingBack);
  }

  #giveBack(telling: Promise<unknown>): void {
    this.#givingBack.add(telling);
    void telling.finally(() => this.#givingBack.delete(telling));
  }

  [Symbol.dispose](): void {
    this.#closing.abort(new Error("closed"));
  }
}
