/** Writes a run's folder: events and logs as they come, the reports when it is over. */
import { join } from "node:path";
import { lazy } from "../core/lazy.ts";
import type { Event } from "../engine/event.ts";
import type { OutputChunk, RunReader } from "../engine/reader.ts";
import type { RunState, StepState } from "../engine/reduce.ts";
import { cannot } from "./cannot.ts";
import { EventFile } from "./event_file.ts";
import { LogFiles } from "./log_files.ts";
import { type LogNames, logNames } from "./log_names.ts";
import type { StepDrafts } from "./step_drafts.ts";
import type { TransportDocument } from "./run_document.ts";

export interface ReportOptions {
  /** Absolute folder of the run; made where it is missing. */
  readonly folder: string;
  /** Counters of every node's connection, asked for when the run is over. */
  readonly stats?: () => ReadonlyMap<string, TransportStats>;
  /** Nothing more of what is printed may be kept: what room is left is for the reports. */
  readonly isFull?: () => boolean;
  /** Told when something cannot be written; the run goes on. */
  readonly warn?: (message: string) => void;
}

/** As the transports count. */
export interface TransportStats {
  readonly handshakes: number;
  readonly reconnects: number;
  readonly channels: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  readonly roundTripMs: number | undefined;
}

export interface Report extends RunReader {
  output(chunk: OutputChunk): void;
  close(): Promise<void>;
}

/** Never throws: what cannot be kept or made is told, the result of the run stands. */
export function createReport(options: ReportOptions): Report {
  return new RunReport(options);
}

class RunReport implements Report {
  readonly #options: ReportOptions;
  readonly #events: EventFile;
  readonly #logs: LogFiles;
  #state: RunState | undefined;
  #names: LogNames = logNames([]);
  #drafts: StepDrafts | undefined;

  constructor(options: ReportOptions) {
    this.#options = options;
    const warn = (message: string) => options.warn?.(message);
    this.#events = new EventFile(join(options.folder, "events.jsonl"), { warn });
    this.#logs = new LogFiles({
      folder: join(options.folder, "logs"),
      isFull: options.isFull ?? (() => false),
      warn,
    });
  }

  event(event: Event, state: RunState): void {
    this.#state = state;
    this.#events.append(event);
    if (event.type === "run.started") {
      this.#names = logNames(event.steps.map(({ id }) => id));
      this.#logs.setNames(this.#names);
    }
    if (event.type === "attempt.finished") this.#logs.finish(event.step, event.attempt);
    if (event.type === "step.finished") this.#draft(state.steps.get(event.step));
  }

  output(chunk: OutputChunk): void {
    this.#logs.write(chunk);
  }

  unkept(step: string, attempt: number): number {
    return this.#logs.unkept(step, attempt);
  }

  async prepare(): Promise<void> {
    const { createDrafts, rehearseReports } = await loadReportFiles();
    if (this.#state === undefined) return;
    this.#drafts = createDrafts({
      pipeline: this.#state.pipeline,
      logOf: this.#logOf,
      keptLog: (step, attempt) => this.#logs.kept(step, attempt),
      steps: [...this.#state.steps.keys()],
    });
    for (const step of this.#state.steps.values()) {
      if (step.finishedAt !== undefined) this.#draft(step);
    }
    await rehearseReports(this.#state);
  }

  readonly #logOf = (step: string, attempt: number): string | null =>
    this.#logs.has(step, attempt) ? `logs/${this.#names(step, attempt)}` : null;

  /** What cannot be made now is tried again, and told, when the reports are written. */
  #draft(step: StepState | undefined): void {
    try {
      if (step) this.#drafts?.add(step);
    } catch {
      this.#drafts = undefined;
    }
  }

  async close(): Promise<void> {
    this.#events[Symbol.dispose]();
    this.#logs[Symbol.dispose]();
    if (this.#state === undefined) return;
    try {
      await this.#writeReports(this.#state);
    } catch (error) {
      this.#options.warn?.(cannot("write the reports of the run", error));
    }
  }

  async #writeReports(state: RunState): Promise<void> {
    const { writeReports } = await loadReportFiles();
    await writeReports(state, {
      ...this.#options,
      logOf: this.#logOf,
      drafts: this.#drafts,
      keptLog: (step, attempt) => this.#logs.kept(step, attempt),
      transports: this.#transports(),
    });
  }

  #transports(): TransportDocument[] {
    const stats = this.#options.stats?.() ?? new Map<string, TransportStats>();
    return [...stats].map(([node, counters]) => ({
      node,
      handshakes: counters.handshakes,
      reconnects: counters.reconnects,
      channels: counters.channels,
      bytesSent: counters.bytesSent,
      bytesReceived: counters.bytesReceived,
      roundTripMs: counters.roundTripMs ?? null,
    }));
  }
}

function loadReportFiles(): Promise<typeof import("./report_files.ts")> {
  return lazy("./report_files.ts", import.meta.url);
}
