/**
 * Inside GitHub Actions: one foldable group per attempt, and annotations for what went wrong.
 * Groups cannot be interleaved, so one attempt streams and the others wait with their last lines.
 * https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
 */
import { randomWord } from "../../core/ids.ts";
import type { Event } from "../../engine/event.ts";
import type { OutputChunk } from "../../engine/reader.ts";
import type { RunState } from "../../engine/state.ts";
import { escapeData, renderAnnotation } from "../diagnostics/github.ts";
import { harmless, oneLine } from "../harmless.ts";
import { earlierTeller, failureWords } from "../step_words.ts";
import { lineOf, ProgressFilter } from "./event_lines.ts";
import { OutputLines } from "./output_lines.ts";
import type { View } from "./view.ts";

export interface GithubViewOptions {
  readonly write: (text: string) => void;
  readonly logPath: (step: string, attempt: number) => string;
  /** Word that ends the time in which output cannot give commands; for tests. */
  readonly stopWord?: string;
}

interface Group {
  readonly step: string;
  readonly attempt: number;
  lines: string[];
  dropped: number;
  over: boolean;
}

/** Lines an attempt may hold back while another one streams. */
const MOST_WAITING = 2000;

export class GithubView implements View {
  readonly #options: GithubViewOptions;
  /** What a command prints must never be read as a command to the runner. */
  readonly #stopWord: string;
  readonly #progress = new ProgressFilter();
  readonly #output = new OutputLines();
  /** In the order of their first line; the first one streams. */
  #groups: Group[] = [];

  constructor(options: GithubViewOptions) {
    this.#options = options;
    this.#stopWord = options.stopWord ?? randomWord(20);
  }

  event(event: Event, state: RunState): void {
    if (event.type === "attempt.finished") this.#finish(event.step);
    if (event.type === "warned") this.#annotate("warning", event.step ?? "run", event.message);
    if (event.type === "step.finished" && event.failure && !isTold(event.step, state)) {
      const level = event.state === "allowed-failure" ? "warning" : "error";
      const at = event.failure.node === undefined ? "" : ` on ${event.failure.node}`;
      const attempts = state.steps.get(event.step)?.attempts.length ?? 0;
      const log = attempts > 0 ? `\nlog: ${this.#options.logPath(event.step, attempts)}` : "";
      const text = `${event.step} failed${at}: ${failureWords(event.failure)}${log}`;
      this.#annotate(level, event.step, text);
    }
    if (event.type === "warned" || !this.#progress.isNews(event)) return;
    const line = lineOf(event, state);
    if (line) this.print(`${line.step === undefined ? "" : `${line.step}: `}${line.text}\n`);
  }

  output(chunk: OutputChunk): void {
    this.#add(chunk.step, { attempt: chunk.attempt, lines: this.#output.push(chunk) });
  }

  print(text: string): void {
    const open = this.#groups[0];
    // Inside a group the runner is not listening, which is right for words from elsewhere.
    this.#options.write(open ? text : escapeLeadingCommand(text));
  }

  end(): void {
    for (const group of [...this.#groups]) this.#finish(group.step);
  }

  #annotate(level: "error" | "warning", title: string, message: string): void {
    const line = `${renderAnnotation({ level, title, message })}\n`;
    this.#options.write(this.#groups[0] ? `${this.#listen()}${line}${this.#mute()}` : line);
  }

  #add(step: string, more: { attempt: number; lines: readonly string[] }): void {
    if (more.lines.length === 0) return;
    const shown = more.lines.map((line) => harmless(line, { color: true }));
    let group = this.#groups.find((other) => other.step === step && !other.over);
    if (!group) {
      group = { step, attempt: more.attempt, lines: [], dropped: 0, over: false };
      this.#groups.push(group);
      if (this.#groups[0] === group) this.#open(group);
    }
    if (this.#groups[0] === group) {
      this.#options.write(shown.map((line) => `${line}\n`).join(""));
      return;
    }
    const lines = [...group.lines, ...shown];
    group.dropped += Math.max(0, lines.length - MOST_WAITING);
    group.lines = lines.slice(-MOST_WAITING);
  }

  #finish(step: string): void {
    const attempt = this.#groups.find((group) => group.step === step && !group.over)?.attempt ?? 1;
    this.#add(step, { attempt, lines: this.#output.end(step) });
    const group = this.#groups.find((other) => other.step === step && !other.over);
    if (group) group.over = true;
    while (this.#groups[0]?.over) {
      this.#options.write(`${this.#listen()}::endgroup::\n`);
      this.#groups = this.#groups.slice(1);
      const next = this.#groups[0];
      if (next) this.#open(next);
    }
  }

  #open(group: Group): void {
    const attempt = group.attempt > 1 ? `, attempt ${group.attempt}` : "";
    const note = group.dropped === 0
      ? ""
      : `… ${group.dropped} lines before are in ${
        this.#options.logPath(group.step, group.attempt)
      }\n`;
    const held = group.lines.map((line) => `${line}\n`).join("");
    this.#options.write(
      `::group::${escapeData(oneLine(`${group.step}${attempt}`))}\n${this.#mute()}${note}${held}`,
    );
    group.lines = [];
  }

  #mute(): string {
    return `::stop-commands::${this.#stopWord}\n`;
  }

  #listen(): string {
    return `::${this.#stopWord}::\n`;
  }
}

/** Our own words never start a command by accident. */
function escapeLeadingCommand(text: string): string {
  return text.replaceAll(/^(\s*)::/gm, "$1\u200b::");
}

/** GitHub shows ten annotations of a step: not ten times the same. */
function isTold(id: string, { steps }: RunState): boolean {
  const step = steps.get(id);
  return step !== undefined && earlierTeller(step, steps) !== undefined;
}
