/** Shows a run to people while it goes on, and says at its end what came of it. */
import type { Clock } from "../core/clock.ts";
import type { Place } from "../core/errors.ts";
import { readableName } from "../core/file_names.ts";
import type { Event } from "../engine/event.ts";
import type { OutputChunk, RunReader } from "../engine/reader.ts";
import type { RunState } from "../engine/reduce.ts";
import { renderCommandSummary } from "./command_summary.ts";
import { githubLog, gitlabLog, type JobLog } from "./run/job_log.ts";
import { JobView } from "./run/job_view.ts";
import { LiveView } from "./run/live_view.ts";
import { PlainView } from "./run/plain_view.ts";
import { QuietView } from "./run/quiet_view.ts";
import { StreamView } from "./run/stream_view.ts";
import { QuietNotice } from "./run/quiet_notice.ts";
import { Tails } from "./run/tails.ts";
import type { View } from "./run/view.ts";
import { createPaint, type Paint } from "./style.ts";
import { renderSummary, type SummaryOptions } from "./summary.ts";
import { createTimeOfDay } from "./time_of_day.ts";

export interface TerminalOptions {
  /** Words for people. */
  readonly stderr: (text: string) => void;
  /** Data: in `stream` mode what the command wrote to stdout, byte for byte. */
  readonly stdout: (bytes: Uint8Array) => void;
  /** What a command wrote to stderr in `stream` mode; without it the bytes are decoded as UTF-8. */
  readonly stderrBytes?: (bytes: Uint8Array) => void;
  /** Whether stderr is a terminal. */
  readonly isTerminal: boolean;
  readonly color: boolean;
  /** Columns, where stderr is a terminal. */
  readonly width: () => number;
  /** Rows of the terminal; default 24. */
  readonly height?: () => number;
  /**
   * `pretty`: a live picture at a terminal, lines elsewhere. `plain`: always lines. `stream`: one
   * command's own output. `quiet`: failures only. `github`, `gitlab`: groups and annotations as these
   * systems read them.
   */
  readonly mode: "pretty" | "plain" | "stream" | "quiet" | "github" | "gitlab";
  readonly clock: Clock;
  /** The run's folder as the reader should see it; default `.grid/runs/<id>`. */
  readonly folder?: string;
  /** Path of an attempt's log as the reader should see it; default below `folder`. */
  readonly logPath?: (step: string, attempt: number) => string;
  /** Whether a file is there, for only those are named; default: all are. */
  readonly exists?: (path: string) => boolean;
  /** Where a step is written, with its file from the repository's root; default unknown. */
  readonly placeOf?: (step: string) => Place | undefined;
  /** Zone of the times in lines; default the reader's own. */
  readonly timeZone?: string;
  /** What earlier runs of a pipeline took, in milliseconds; for the time that is left. */
  readonly usualMs?: (pipeline: string) => number | undefined;
}

export interface Terminal extends RunReader {
  /** Shows words from elsewhere without spoiling the picture; `text` ends in a newline. */
  print(text: string): void;
  /** Takes the picture away and says nothing of the run, which goes on. */
  leave(): Promise<void>;
  close(): Promise<void>;
}

export function createTerminal(options: TerminalOptions): Terminal {
  return new RunTerminal(options);
}

class RunTerminal implements Terminal {
  readonly #options: TerminalOptions;
  readonly #paint: Paint;
  readonly #tails = new Tails();
  readonly #view: View;
  /** Where nothing else moves. */
  readonly #heartbeat: QuietNotice | undefined;
  #state: RunState | undefined;
  /** When the run began, on the monotonic clock. */
  #began: number | undefined;
  #closed = false;

  constructor(options: TerminalOptions) {
    const { width, height = () => 24 } = options;
    this.#options = {
      ...options,
      // Nothing is cut for a file or a pipe.
      width: () =>
        options.isTerminal
          ? sizeOr(width(), { least: 20, otherwise: 80 })
          : Number.POSITIVE_INFINITY,
      height: () => sizeOr(height(), { least: 5, otherwise: 24 }),
    };
    this.#paint = createPaint(options.color);
    this.#view = this.#createView();
    const isPlain = this.#view instanceof PlainView || this.#view instanceof JobView;
    this.#heartbeat = isPlain
      ? new QuietNotice({ clock: options.clock, print: (text) => this.#view.print(text) })
      : undefined;
  }

  event(event: Event, state: RunState): void {
    this.#state = state;
    this.#began ??= this.#options.clock.monotonic();
    if (event.type === "step.finished" && event.state === "succeeded") {
      this.#tails.forget(event.step);
    }
    this.#view.event(event, state);
    this.#heartbeat?.event(state);
  }

  output(chunk: OutputChunk): void {
    this.#tails.push(chunk);
    this.#view.output?.(chunk);
    this.#heartbeat?.heard();
  }

  print(text: string): void {
    this.#view.print(text);
  }

  async leave(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    await this.#heartbeat?.end();
    await this.#view.end?.();
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    await this.leave();
    const words = this.#state === undefined ? "" : this.#summary(this.#state);
    if (words !== "") this.#view.print(words);
  }

  #summary(state: RunState): string {
    const { mode, width, clock, folder = `.grid/runs/${state.run}` } = this.#options;
    const passed = clock.monotonic();
    const options: SummaryOptions = {
      width: width(),
      paint: this.#paint,
      now: state.startedAt + passed - (this.#began ?? passed),
      folder,
      tail: (step) => this.#tails.lines(step),
      logPath: (step, attempt) => this.#logPath(step, attempt),
      ...(this.#options.exists && { exists: this.#options.exists }),
    };
    if (mode === "stream") return renderCommandSummary(state, options);
    if (mode === "quiet" && state.result === "succeeded") return "";
    return mode === "plain" || mode === "pretty"
      ? `\n${renderSummary(state, options)}`
      : renderSummary(state, options);
  }

  #logPath(step: string, attempt: number): string {
    const { logPath, folder = `.grid/runs/${this.#state?.run}` } = this.#options;
    return logPath?.(step, attempt) ?? `${folder}/logs/${readableName(step)}.${attempt}.log`;
  }

  #createView(): View {
    const { stderr: write, stdout, clock, width, height = () => 24 } = this.#options;
    const paint = this.#paint;
    switch (this.#options.mode) {
      case "stream":
        return new StreamView({ write, stdout, stderr: this.#stderrBytes(), paint });
      case "quiet":
        return new QuietView(write);
      case "github":
        return this.#jobView(githubLog());
      case "gitlab":
        return this.#jobView(gitlabLog(() => clock.now()));
      case "pretty":
        if (this.#options.isTerminal) {
          return new LiveView({
            write,
            paint,
            clock,
            width,
            height,
            tails: this.#tails,
            usualMs: this.#options.usualMs,
          });
        }
        return this.#plainView();
      case "plain":
        return this.#plainView();
    }
  }

  #jobView(log: JobLog): View {
    const { stderr: write, placeOf } = this.#options;
    return new JobView({
      write,
      log,
      logPath: (step, attempt) => this.#logPath(step, attempt),
      tail: (step) => this.#tails.lines(step),
      ...(placeOf && { placeOf }),
    });
  }

  #plainView(): View {
    const { stderr: write, clock, timeZone } = this.#options;
    return new PlainView({
      write,
      paint: this.#paint,
      clock,
      timeOfDay: createTimeOfDay(timeZone),
    });
  }

  #stderrBytes(): (bytes: Uint8Array) => void {
    const { stderr, stderrBytes } = this.#options;
    if (stderrBytes) return stderrBytes;
    const decoder = new TextDecoder();
    return (bytes) => stderr(decoder.decode(bytes, { stream: true }));
  }
}

/** Terminals that nobody has sized, such as a fresh pseudo-terminal, say that they have 0 columns. */
function sizeOr(told: number, { least, otherwise }: { least: number; otherwise: number }): number {
  return told >= least ? told : otherwise;
}
