/** For pipes, files and `--plain`: one line per event and per line of output, as they come. */
import type { Clock } from "../../core/clock.ts";
import type { Event } from "../../engine/event.ts";
import type { OutputChunk } from "../../engine/reader.ts";
import type { RunState } from "../../engine/reduce.ts";
import { harmlessLines } from "../harmless.ts";
import { hueOfName, type Paint } from "../style.ts";
import { displayWidth, padEnd } from "../width.ts";
import { type EventLine, lineOf, ProgressFilter } from "./event_lines.ts";
import { OutputLines } from "./output_lines.ts";
import type { View } from "./view.ts";

export interface PlainViewOptions {
  readonly write: (text: string) => void;
  readonly paint: Paint;
  readonly clock: Clock;
  readonly timeOfDay: (ms: number) => string;
}

/** Names are whole, whatever their length; short ones are not put that far apart from their words. */
const WIDEST_COLUMN = 40;

export class PlainView implements View {
  readonly #options: PlainViewOptions;
  readonly #progress = new ProgressFilter();
  readonly #output = new OutputLines();
  #nameWidth = 0;

  constructor(options: PlainViewOptions) {
    this.#options = options;
  }

  event(event: Event, state: RunState): void {
    if (event.type === "run.started") {
      const widest = Math.max(0, ...event.steps.map(({ id }) => displayWidth(id)));
      this.#nameWidth = Math.min(WIDEST_COLUMN, widest);
    }
    if (event.type === "attempt.finished") this.#lines(event.step, this.#output.end(event.step));
    if (!this.#progress.isNews(event)) return;
    const line = lineOf(event, state);
    if (line) this.#options.write(`${this.#head(event.at, line.step)}${this.#toned(line)}\n`);
  }

  output(chunk: OutputChunk): void {
    this.#lines(chunk.step, this.#output.push(chunk));
  }

  print(text: string): void {
    this.#options.write(text);
  }

  end(): void {
    for (const { step, line } of this.#output.endAll()) this.#lines(step, [line]);
  }

  #lines(step: string, lines: readonly string[]): void {
    if (lines.length === 0) return;
    const { write, paint, clock } = this.#options;
    const head = `${this.#head(clock.now(), step)}${paint.dim("│")} `;
    write(`${head}${harmlessLines(lines, { between: `\n${head}`, color: paint.color })}\n`);
  }

  #head(at: number, step: string | undefined): string {
    const { paint, timeOfDay } = this.#options;
    const time = paint.dim(timeOfDay(at));
    if (step === undefined) return `${time} `;
    const name = padEnd(step, this.#nameWidth);
    return `${time} ${paint[hueOfName(step)](name)}  `;
  }

  #toned({ text, tone }: EventLine): string {
    const { paint } = this.#options;
    if (tone === "good") return paint.green(text);
    if (tone === "bad") return paint.red(text);
    return tone === "warn" ? paint.yellow(text) : text;
  }
}
