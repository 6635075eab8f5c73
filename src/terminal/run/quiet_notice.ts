/** Says that a quiet run lives: CI systems end jobs that print nothing for ten minutes. */
import type { Clock } from "../../core/clock.ts";
import { formatDuration } from "../../core/duration.ts";
import type { RunState } from "../../engine/reduce.ts";
import { oneLine } from "../harmless.ts";
import { durationOf } from "../step_words.ts";

export interface QuietNoticeOptions {
  readonly clock: Clock;
  readonly print: (text: string) => void;
}

const QUIET_MS = 5 * 60_000;
/** Steps that are named. */
const MOST_NAMED = 5;

export class QuietNotice {
  readonly #options: QuietNoticeOptions;
  readonly #over = new AbortController();
  readonly #began: number;
  #state: RunState | undefined;
  /** When something was last printed or happened, on the monotonic clock. */
  #heardAt: number;
  #loop: Promise<void> | undefined;

  constructor(options: QuietNoticeOptions) {
    this.#options = options;
    this.#began = this.#heardAt = options.clock.monotonic();
  }

  event(state: RunState): void {
    this.#state = state;
    this.heard();
    this.#loop ??= this.#beat();
  }

  heard(): void {
    this.#heardAt = this.#options.clock.monotonic();
  }

  async end(): Promise<void> {
    this.#over.abort(new Error("the run is over"));
    await this.#loop;
  }

  async #beat(): Promise<void> {
    const { clock, print } = this.#options;
    const { signal } = this.#over;
    while (!signal.aborted) {
      const left = this.#heardAt + QUIET_MS - clock.monotonic();
      if (left <= 0) {
        print(this.#words());
        this.heard();
        continue;
      }
      await clock.sleep(left, { signal }).catch((error: unknown) => {
        if (error !== signal.reason) throw error;
      });
    }
  }

  #words(): string {
    const elapsed = this.#options.clock.monotonic() - this.#began;
    const running = [...this.#state?.steps.values() ?? []]
      .filter(({ status, kind }) => status === "running" && kind !== "group");
    const named = running.slice(0, MOST_NAMED).map((step) =>
      `${oneLine(step.id)} for ${formatDuration(durationOf(step, elapsed) ?? 0)}`
    );
    const more = running.length - named.length;
    const words = `${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
    return `still running${words === "" ? "" : `: ${words}`}\n`;
  }
}
