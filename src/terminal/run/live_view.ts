/** For people at a terminal: one picture of the run that is drawn over itself. */
import type { Clock } from "../../core/clock.ts";
import type { Event } from "../../engine/event.ts";
import type { OutputChunk } from "../../engine/reader.ts";
import type { RunState } from "../../engine/reduce.ts";
import { oneLine } from "../harmless.ts";
import { rememberedNames } from "../step_names.ts";
import type { Paint } from "../style.ts";
import { wrapHanging } from "../width.ts";
import { renderFrame } from "./frame.ts";
import type { Tails } from "./tails.ts";
import type { View } from "./view.ts";

export interface LiveViewOptions {
  readonly write: (text: string) => void;
  readonly paint: Paint;
  readonly clock: Clock;
  readonly width: () => number;
  readonly height: () => number;
  readonly tails: Tails;
  /** What earlier runs of the pipeline took, in milliseconds; undefined where that is not known. */
  readonly usualMs?: ((pipeline: string) => number | undefined) | undefined;
}

/** Fast enough for the eye, slow enough for a busy machine. */
const PAINT_EVERY_MS = 100;
/** Running times move on without events. */
const TICK_MS = 1000;

type Painter = ((text: string) => void) & { clear(): void };

export class LiveView implements View {
  readonly #options: LiveViewOptions;
  readonly #namesFor = rememberedNames();
  readonly #ended = new AbortController();
  readonly #loop: Promise<void>;
  #painter: Painter | undefined;
  #state: RunState | undefined;
  /** When the run began, on the monotonic clock. */
  #began: number | undefined;
  #usualMs: number | undefined;
  #changed = false;
  #paintedAt = Number.NEGATIVE_INFINITY;

  constructor(options: LiveViewOptions) {
    this.#options = options;
    this.#loop = this.#paintUntilEnd();
  }

  event(event: Event, state: RunState): void {
    this.#state = state;
    if (event.type === "run.started") this.#usualMs = this.#options.usualMs?.(event.pipeline);
    this.#began ??= this.#options.clock.monotonic();
    this.#changed = true;
    if (event.type !== "warned") return;
    const { paint, width } = this.#options;
    const step = event.step === undefined ? "" : `${event.step}: `;
    const words = `warning: ${step}${oneLine(event.message)}`;
    const lines = wrapHanging(words, { width: width(), indent: 0 });
    this.print(lines.map((line) => `${paint.yellow(line)}\n`).join(""));
  }

  output(_chunk: OutputChunk): void {
    this.#changed = true;
  }

  /** Above the picture, where it stays. */
  print(text: string): void {
    this.#painter?.clear();
    this.#options.write(text);
    this.#paintedAt = Number.NEGATIVE_INFINITY;
  }

  /** Takes the picture away; the summary says all that it said. */
  async end(): Promise<void> {
    this.#ended.abort(new Error("the run is over"));
    await this.#loop;
    this.#painter?.clear();
  }

  async #paintUntilEnd(): Promise<void> {
    const { signal } = this.#ended;
    this.#painter = await createPainter(this.#options);
    while (!signal.aborted) {
      this.#paint();
      await this.#options.clock.sleep(PAINT_EVERY_MS, { signal }).catch((error: unknown) => {
        if (error !== signal.reason) throw error;
      });
    }
  }

  #paint(): void {
    const { clock, width, height, paint, tails } = this.#options;
    const state = this.#state;
    const passed = clock.monotonic();
    if (!state || (!this.#changed && passed - this.#paintedAt < TICK_MS)) return;
    this.#changed = false;
    this.#paintedAt = passed;
    const now = state.startedAt + passed - (this.#began ?? passed);
    const lastLine = (step: string) => tails.lastLine(step);
    // One column less: a full line would wrap on some terminals. One row less for the cursor.
    const room = { width: width() - 1, height: height() - 1 };
    const namesFor = this.#namesFor;
    const usualMs = this.#usualMs;
    this.#painter?.(renderFrame(state, { ...room, now, paint, lastLine, namesFor, usualMs }));
  }
}

/** Loaded here and not before: most runs are not watched at a terminal. */
async function createPainter(options: LiveViewOptions): Promise<Painter> {
  const [{ createLogUpdate }, { TerminalStream }] = await Promise.all([
    import("npm:log-update@8.0.0"),
    import("./terminal_stream.ts"),
  ]);
  // The cursor stays visible: hiding it would put handlers on the signals that Grid itself answers.
  return createLogUpdate(new TerminalStream(options), { showCursor: true });
}
