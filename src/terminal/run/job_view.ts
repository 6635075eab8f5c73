/**
 * Inside a job of GitHub's or GitLab's: one foldable group per attempt, and annotations for what went
 * wrong. Groups cannot be interleaved, so one attempt streams and the others wait with their last lines.
 */
import type { Place } from "../../core/errors.ts";
import type { Event, StepFinished } from "../../engine/event.ts";
import type { OutputChunk } from "../../engine/reader.ts";
import { fingerprintOf } from "../../engine/fingerprint.ts";
import type { RunState, StepState } from "../../engine/reduce.ts";
import { type Annotation, MOST_ANNOTATIONS } from "../diagnostics/github.ts";
import { harmless, oneLine } from "../harmless.ts";
import { counted, earlierTeller, failureWords } from "../step_words.ts";
import { lineOf, ProgressFilter } from "./event_lines.ts";
import type { JobLog } from "./job_log.ts";
import { OutputLines } from "./output_lines.ts";
import type { View } from "./view.ts";

export interface JobViewOptions {
  readonly write: (text: string) => void;
  readonly log: JobLog;
  readonly logPath: (step: string, attempt: number) => string;
  /** Last lines that the step's last attempt printed; default none. */
  readonly tail?: (step: string) => readonly string[];
  /** Where a step is written, with its file from the repository's root; default unknown. */
  readonly placeOf?: (step: string) => Place | undefined;
}

interface Group {
  readonly name: string;
  readonly step: string;
  readonly attempt: number;
  lines: string[];
  dropped: number;
  over: boolean;
}

/** Lines an attempt may hold back while another one streams. */
const MOST_WAITING = 2000;
/** Of a step's last line in an annotation. */
const LONGEST_WORDS = 300;

export class JobView implements View {
  readonly #options: JobViewOptions;
  readonly #progress = new ProgressFilter();
  readonly #output = new OutputLines();
  /** In the order of their first line; the first one streams. */
  #groups: Group[] = [];
  #groupCount = 0;
  readonly #told = { error: 0, warning: 0, notice: 0 };
  /** Members of groups that failed one like the other: the first is told, the others are counted. */
  readonly #alike = new Map<string, { readonly first: string; more: number }>();

  constructor(options: JobViewOptions) {
    this.#options = options;
  }

  event(event: Event, state: RunState): void {
    if (event.type === "attempt.finished") this.#finish(event.step);
    if (event.type === "warned") {
      const { step, message } = event;
      this.#annotate({ level: "warning", title: step ?? "run", message, ...this.#place(step) });
    }
    if (event.type === "step.finished") this.#annotateFailure(event, state);
    if (event.type === "run.finished") this.#countUntold();
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
    this.#options.write(open ? text : this.#options.log.plain(text));
  }

  end(): void {
    for (const group of [...this.#groups]) this.#finish(group.step);
  }

  #annotateFailure({ step, failure, state }: StepFinished, run: RunState): void {
    if (failure === undefined || isTold(step, run) || this.#isAlike(run.steps.get(step))) return;
    const at = failure.node === undefined ? "" : ` on ${failure.node}`;
    const attempts = run.steps.get(step)?.attempts.length ?? 0;
    const log = attempts > 0 ? [`log: ${this.#options.logPath(step, attempts)}`] : [];
    const [last] = this.#options.tail?.(step).filter((line) => line.trim() !== "").slice(-1) ?? [];
    const words = last === undefined
      ? []
      : [harmless(last, { color: false }).slice(0, LONGEST_WORDS)];
    this.#annotate({
      level: state === "allowed-failure" ? "warning" : "error",
      title: step,
      message: [`${step} failed${at}: ${failureWords(failure)}`, ...words, ...log].join("\n"),
      ...this.#place(step),
    });
  }

  #isAlike(step: StepState | undefined): boolean {
    if (step?.group === undefined) return false;
    const tail = this.#options.tail ?? (() => []);
    const key = `${step.group}\n${fingerprintOf(step, tail)}`;
    const known = this.#alike.get(key);
    if (known === undefined) this.#alike.set(key, { first: step.id, more: 0 });
    else known.more++;
    return known !== undefined;
  }

  #place(step: string | undefined): Partial<Annotation> {
    const place = step === undefined ? undefined : this.#options.placeOf?.(step);
    return place === undefined ? {} : { file: place.file, line: place.line, column: place.column };
  }

  /** More are dropped without a word, so they are counted at the end. */
  #annotate(annotation: Annotation): void {
    const { level } = annotation;
    this.#told[level]++;
    if (this.#told[level] <= MOST_ANNOTATIONS) this.#writeAnnotation(annotation);
    else if (level === "warning") this.print(`warning: ${oneLine(annotation.message)}\n`);
  }

  #writeAnnotation(annotation: Annotation): void {
    const inside = this.#groups.length > 0;
    const text = this.#options.log.annotate(annotation, { inside });
    if (text !== "") this.#options.write(text);
    else if (annotation.level === "warning") {
      this.print(`warning: ${oneLine(annotation.message)}\n`);
    }
  }

  #countUntold(): void {
    const { error, warning } = this.#told;
    const more = [[error, "failure"], [warning, "warning"]] as const;
    const alike = [...this.#alike.values()].filter(({ more }) => more > 0)
      .map(({ first, more }) => `${counted(more, "failure")} more like that of ${first}`);
    const beyond = more.filter(([count]) => count > MOST_ANNOTATIONS)
      .map(([count, what]) => `${counted(count - MOST_ANNOTATIONS, what)} more`);
    const words = [...alike, ...beyond];
    if (words.length === 0) return;
    const message = `and ${words.join(", ")}: the log and the report have them all`;
    this.#writeAnnotation({ level: "notice", title: "run", message });
  }

  #add(step: string, more: { attempt: number; lines: readonly string[] }): void {
    if (more.lines.length === 0) return;
    const shown = more.lines.map((line) => harmless(line, { color: true }));
    let group = this.#groups.find((other) => other.step === step && !other.over);
    if (!group) {
      const name = `grid_${++this.#groupCount}`;
      group = { name, step, attempt: more.attempt, lines: [], dropped: 0, over: false };
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
    for (let first = this.#groups[0]; first?.over; first = this.#groups[0]) {
      this.#options.write(this.#options.log.close(first.name));
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
    const title = oneLine(`${group.step}${attempt}`);
    this.#options.write(`${this.#options.log.open(title, group.name)}${note}${held}`);
    group.lines = [];
  }
}

/** GitHub shows ten annotations of a step: not ten times the same. */
function isTold(id: string, { steps }: RunState): boolean {
  const step = steps.get(id);
  return step !== undefined && earlierTeller(step, steps) !== undefined;
}
