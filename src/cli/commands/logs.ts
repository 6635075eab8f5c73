import type { Command } from "../command_line/command.ts";
import { statSync } from "node:fs";
import { join } from "node:path";
import { nearest } from "../../core/did_you_mean.ts";
import { GridError } from "../../core/errors.ts";
import type { RunState } from "../../engine/state.ts";
import { oneLine } from "../../terminal/harmless.ts";
import { type LogNames, logNames } from "../../report/log_names.ts";
import type { CommandContext } from "../command_module.ts";
import { LogFilter } from "../log_filter.ts";
import { ItemLines } from "../item_lines.ts";
import { positiveInteger } from "../option_values.ts";
import { isUnderWay, openRuns, type PastRuns, stateOf } from "../past_runs.ts";
import { silentSteps } from "../silent_steps.ts";
import type { GlobalFlags } from "../settings.ts";

/** How often a followed log is looked at; a person does not notice a quarter of a second. */
const POLL_MS = 250;
const CHUNK_BYTES = 64 * 1024;
const NEWLINE = 0x0a;

interface LogsFlags extends GlobalFlags {
  readonly follow?: true;
  readonly attempt?: number;
  readonly item?: number;
  readonly raw?: true;
}

export function define(command: Command, context: CommandContext): void {
  command
    .argument("[run]", "a run: id, the beginning of one, a pipeline's name, or last", "last")
    .argument("[step]", "only this step, or the steps of this group; default all")
    .option("-f, --follow", "go on until the run is over")
    .option("--attempt <n>", "this attempt; default the last", { read: positiveInteger })
    .option("--item <n>", "only what this task of a ray-batch printed, counted from 0", {
      read: taskNumber,
    })
    .option("--raw", "every byte as it was printed, also to a terminal")
    .close("With --json: where each log lies, and its size.")
    .action<LogsFlags>(async (name, step, flags) => {
      if (flags.json && flags.follow) throw followedObject();
      using runs = openRuns(flags, context);
      const run = runs.store.resolveRun(name);
      const logs = new LogPrinter({
        runs,
        run,
        context,
        step,
        attempt: flags.attempt,
        item: flags.item,
        // A pipe gets what was printed; a terminal would obey it.
        raw: flags.raw ?? !context.stdoutIsTerminal,
      });
      if (flags.json) {
        return context.stdout(JSON.stringify({ run, logs: logs.list() }, null, 2) + "\n");
      }
      await logs.print({ follow: flags.follow ?? false });
    });
}

function taskNumber(value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw new GridError({ code: "usage", message: `"${value}" is not the number of a task` });
}

function followedObject(): GridError {
  return new GridError({
    code: "usage",
    message: "Cannot follow logs as JSON: one object has an end",
    hint: "leave out --json or --follow",
  });
}

interface LogPrinterOptions {
  readonly runs: PastRuns;
  readonly run: string;
  readonly context: CommandContext;
  readonly step: string | undefined;
  readonly attempt: number | undefined;
  readonly item: number | undefined;
  readonly raw: boolean;
}

interface AttemptName {
  readonly step: string;
  readonly attempt: number;
}

/** Prints each log from where it stopped the last time. */
class LogPrinter {
  readonly #options: LogPrinterOptions;
  readonly #printed = new Map<string, number>();
  readonly #items = new Map<string, ItemLines>();
  readonly #filters = new Map<string, LogFilter>();
  #lineIsOpen = false;

  constructor(options: LogPrinterOptions) {
    this.#options = options;
  }

  async print({ follow }: { readonly follow: boolean }): Promise<void> {
    for (;;) {
      const state = stateOf(this.#options.runs, this.#options.run);
      const logName = logNames(state.steps.keys());
      for (const log of this.#wanted(state)) await this.#printNew(log, logName);
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
    const { runs, context, step } = this.#options;
    const printed = [...this.#printed.values()].some((bytes) => bytes > 0);
    const underWay = isUnderWay(runs, state);
    for (const line of silentSteps(state, { step, printed, underWay })) {
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
    return wanted
      .flatMap((each) =>
        each.attempts.length === 0 ? [] : [{
          step: each.id,
          attempt: attempt ?? each.attempts.length,
        }]
      );
  }

  async #printNew({ step, attempt }: AttemptName, logName: LogNames): Promise<void> {
    const { runs, run, context } = this.#options;
    const path = join(runs.folder(run), "logs", logName(step, attempt));
    const from = this.#printed.get(path) ?? 0;
    using file = await openIfThere(path);
    if (!file) return;
    if (from === 0 && step !== this.#options.step) {
      // What was printed stays as it is; only the name of the step begins on a line of its own.
      this.#endLine();
      context.stderr(`${this.#lineIsOpen ? "\n" : ""}── ${oneLine(step)}, attempt ${attempt}\n`);
      this.#lineIsOpen = false;
    }
    await file.seek(from, Deno.SeekMode.Start);
    const buffer = new Uint8Array(CHUNK_BYTES);
    let at = from;
    for (let count = await file.read(buffer); count !== null; count = await file.read(buffer)) {
      const shown = this.#shownOf(path, buffer.subarray(0, count));
      if (shown.length > 0) {
        this.#filterOf(path).push(shown);
        this.#lineIsOpen = shown.at(-1) !== NEWLINE;
      }
      at += count;
    }
    this.#printed.set(path, at);
  }

  /** All of it, or the lines of the one task that is asked for. */
  #shownOf(path: string, bytes: Uint8Array): Uint8Array {
    const { item } = this.#options;
    if (item === undefined) return bytes;
    const lines = this.#items.get(path) ?? new ItemLines(item);
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

  /** Lines that have no end, of the logs so far. */
  #endLine(): void {
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
