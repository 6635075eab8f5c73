/** Logs of a run's steps on their way to a terminal, a file or a program. */
import { statSync } from "node:fs";
import { join } from "node:path";
import { nearest } from "../core/did_you_mean.ts";
import { GridError } from "../core/errors.ts";
import type { Pattern } from "../core/pattern.ts";
import type { RunState, StepState } from "../engine/reduce.ts";
import { type LogNames, logNames } from "../report/log_names.ts";
import { oneLine } from "../terminal/harmless.ts";
import type { CliContext } from "./context.ts";
import { ItemLines } from "./item_lines.ts";
import { LogClock } from "./log_clock.ts";
import { LineGate } from "./line_gate.ts";
import { LogFilter } from "./log_filter.ts";
import { isUnderWay, type PastRuns, stateOf } from "./past_runs.ts";
import { silentSteps } from "./silent_steps.ts";

/** How often a followed log is looked at; a person does not notice a quarter of a second. */
const POLL_MS = 250;
const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

export interface LogPrinterOptions {
  readonly runs: PastRuns;
  readonly run: string;
  readonly context: CliContext;
  readonly step: string | undefined;
  readonly attempt: number | undefined;
  readonly item: number | undefined;
  /** Of a step on many nodes: which of its commands. */
  readonly rank: number | undefined;
  readonly raw: boolean;
  /** Takes the line that says which step begins. */
  readonly marks: (text: string) => void;
  readonly tail: number | undefined;
  readonly grep: Pattern | undefined;
  /** Only what came from then on, in milliseconds since the epoch. */
  readonly since: number | undefined;
  /** With each line the time when it came. */
  readonly timestamps: boolean;
}

interface AttemptName {
  readonly step: string;
  readonly attempt: number;
}

/** Prints each log from where it stopped the last time. */
export class LogPrinter {
  readonly #options: LogPrinterOptions;
  readonly #printed = new Map<string, number>();
  readonly #items = new Map<string, ItemLines>();
  readonly #filters = new Map<string, LogFilter>();
  readonly #gates = new Map<string, LineGate>();
  readonly #names = new Map<string, AttemptName>();
  /** The log whose bytes were shown last. */
  #shown: string | undefined;
  readonly #clock: LogClock;
  #lineIsOpen = false;

  constructor(options: LogPrinterOptions) {
    this.#options = options;
    const { runs, run } = options;
    this.#clock = new LogClock({ ...options, folder: join(runs.folder(run), "logs") });
  }

  async print({ follow }: { readonly follow: boolean }): Promise<void> {
    for (;;) {
      const state = stateOf(this.#options.runs, this.#options.run);
      const logName = logNames(state.steps.keys());
      const wanted = this.#wanted(state);
      if (this.#clock.isAsked && this.list().length > 0) this.#clock.look();
      for (const log of wanted) await this.#printNew(log, logName);
      if (!follow || state.result !== "running") {
        this.#endLine();
        return this.#tellSilent(state);
      }
      if (!isUnderWay(this.#options.runs, state)) {
        const { run, context } = this.#options;
        this.#endLine();
        this.#tellSilent(state);
        return context.stderr(`its runner is gone; to go on: grid resume ${run}\n`);
      }
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  }

  /** Those that there are; a step that printed nothing has none. */
  list(): (AttemptName & { readonly file: string; readonly bytes: number })[] {
    const { runs, run } = this.#options;
    const state = stateOf(runs, run);
    const logName = logNames(state.steps.keys());
    return this.#wanted(state).flatMap(({ step, attempt }) => {
      const file = join(runs.folder(run), "logs", logName(step, attempt));
      const size = statSync(file, { throwIfNoEntry: false })?.size;
      return size === undefined ? [] : [{ step, attempt, file, bytes: size }];
    });
  }

  #tellSilent(state: RunState): void {
    const { runs, context, step, since } = this.#options;
    const printed = [...this.#printed.values()].some((bytes) => bytes > 0);
    const underWay = isUnderWay(runs, state);
    const part = since === undefined ? undefined : ` since ${new Date(since).toISOString()}`;
    for (const line of silentSteps(state, { step, printed, underWay, part })) {
      context.stderr(`${oneLine(line)}\n`);
    }
  }

  #wanted(state: RunState): AttemptName[] {
    const { step, attempt } = this.#options;
    if (step !== undefined && !state.steps.has(step)) {
      const near = nearest(step, state.steps.keys());
      throw new GridError({
        code: "usage",
        message: `Cannot show logs of step "${step}": run ${state.run} has no such step`,
        hint: near ? `did you mean "${near}"?` : `its steps: ${[...state.steps.keys()].join(", ")}`,
      });
    }
    const made = step === undefined ? undefined : state.steps.get(step)?.attempts.length;
    if (made && attempt !== undefined && attempt > made && state.result !== "running") {
      throw new GridError({
        code: "usage",
        message: `Cannot show attempt ${attempt} of step "${step}": it made ${made}`,
        hint: "without --attempt the last one is shown",
      });
    }
    const wanted = [...state.steps.values()]
      .filter((each) => step === undefined || isWithin(each.id, step, state));
    const most = Math.max(0, ...wanted.map(({ attempts }) => attempts.length));
    // Of a run that is under way, the attempt may yet come.
    if (attempt !== undefined && attempt > most && state.result !== "running") {
      throw new GridError({
        code: "usage",
        message: `Cannot show logs of attempt ${attempt}: run ${state.run} made ${most} at most`,
      });
    }
    return this.#withRank(wanted, state)
      .flatMap((each) =>
        each.attempts.length === 0 ? [] : [{
          step: each.id,
          attempt: attempt ?? each.attempts.length,
        }]
      );
  }

  /** Those that have the rank that is asked for. */
  #withRank(steps: readonly StepState[], state: RunState): readonly StepState[] {
    const { rank, attempt } = this.#options;
    if (rank === undefined) return steps;
    const countOf = ({ attempts }: StepState) =>
      (attempt === undefined ? attempts.at(-1) : attempts[attempt - 1])?.ranks?.length ?? 0;
    const having = steps.filter((step) => countOf(step) > rank);
    // Of a run that is under way, its nodes may yet be chosen.
    if (having.length > 0 || state.result === "running") return having;
    const most = Math.max(0, ...steps.map(countOf));
    throw new GridError({
      code: "usage",
      message: `Cannot show logs of rank ${rank}: ` +
        (most === 0 ? "no such step ran on many nodes" : `the last is rank ${most - 1}`),
      hint: "ranks are counted from 0; nodes: of a step says how many there are",
    });
  }

  async #printNew({ step, attempt }: AttemptName, logName: LogNames): Promise<void> {
    const { runs, run } = this.#options;
    const name = logName(step, attempt);
    const path = join(runs.folder(run), "logs", name);
    using file = await openIfThere(path);
    if (!file) return;
    const from = this.#printed.get(path) ?? await this.#clock.beginning(file, name);
    if (from === undefined) return;
    this.#names.set(path, { step, attempt });
    const gate = this.#gateOf(path);
    await file.seek(from, Deno.SeekMode.Start);
    const buffer = new Uint8Array(CHUNK_BYTES);
    let at = from;
    const lines = this.#clock.linesOf(name, from);
    for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
      const bytes = lines(buffer.subarray(0, count));
      const shown = gate.push(this.#shownOf(path, bytes));
      this.#show(path, { step, attempt, shown });
      at += count;
    }
    this.#show(path, { step, attempt, shown: gate.settle() });
    this.#printed.set(path, at);
  }

  #show(
    path: string,
    { step, attempt, shown }: AttemptName & { readonly shown: Uint8Array },
  ): void {
    if (shown.length === 0) return;
    // Of logs that grow at the same time each says again which it is.
    if (this.#shown !== path) this.#markBegin({ step, attempt });
    this.#shown = path;
    this.#filterOf(path).push(shown);
    this.#lineIsOpen = shown.at(-1) !== NEWLINE;
  }

  /** The only log of a run that is over: nothing has to be told apart. */
  get #isAlone(): boolean {
    const { runs, run } = this.#options;
    return stateOf(runs, run).result !== "running" && this.list().length === 1;
  }

  /** What was printed stays as it is; only the name of the step begins on a line of its own. */
  #markBegin({ step, attempt }: AttemptName): void {
    if (step === this.#options.step) return;
    this.#endFilters();
    const { context } = this.#options;
    const marks = this.#isAlone ? context.stderr : this.#options.marks;
    marks(`${this.#lineIsOpen ? "\n" : ""}── ${oneLine(step)}, attempt ${attempt}\n`);
    this.#lineIsOpen = false;
  }

  /** All of it, or the lines of the one task or rank that is asked for. */
  #shownOf(path: string, bytes: Uint8Array): Uint8Array {
    const { item, rank } = this.#options;
    const teller = rank !== undefined ? { rank } : item !== undefined ? { item } : undefined;
    if (teller === undefined) return bytes;
    const lines = this.#items.get(path) ?? new ItemLines(teller, this.#clock.stampLength);
    this.#items.set(path, lines);
    return lines.push(bytes);
  }

  #filterOf(path: string): LogFilter {
    const known = this.#filters.get(path);
    if (known) return known;
    const { raw, runs, context } = this.#options;
    const filter = new LogFilter({ raw, color: runs.settings.color.stdout, write: context.stdout });
    this.#filters.set(path, filter);
    return filter;
  }

  #gateOf(path: string): LineGate {
    const known = this.#gates.get(path);
    if (known) return known;
    const gate = new LineGate({ ...this.#options, skip: this.#clock.stampLength });
    this.#gates.set(path, gate);
    return gate;
  }

  /** Lines that have no end, of the logs so far. */
  #endLine(): void {
    for (const [path, gate] of this.#gates) {
      const shown = gate.end();
      const name = this.#names.get(path);
      if (name) this.#show(path, { ...name, shown });
    }
    this.#endFilters();
  }

  #endFilters(): void {
    for (const filter of this.#filters.values()) filter.end();
  }
}

/** Whether a step is the one named, or a cell or step of the matrix or template so named. */
function isWithin(id: string, name: string, { steps }: RunState): boolean {
  for (let at: string | undefined = id; at !== undefined; at = steps.get(at)?.group) {
    if (at === name) return true;
  }
  return false;
}

/** Steps that print nothing, such as sync, have no log. */
async function openIfThere(path: string): Promise<Deno.FsFile | undefined> {
  try {
    return await Deno.open(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
