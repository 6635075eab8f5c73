/** Writes a run's folder: events and logs as they come, the reports when it is over. */
import { join } from "node:path";
import { lazy } from "../core/lazy.ts";
import type { Event } from "../engine/event.ts";
import type { OutputChunk, RunReader } from "../engine/reader.ts";
import type { RunState } from "../engine/state.ts";
import { writeAtomic } from "./atomic_file.ts";
import { EventFile } from "./event_file.ts";
import { renderHtml } from "./html.ts";
import { renderJunit } from "./junit.ts";
import { LogFiles } from "./log_files.ts";
import { type LogNames, logNames } from "./log_names.ts";
import { runDocument } from "./document_writer.ts";
import type { RunDocument, TransportDocument } from "./run_document.ts";
import { readTails } from "./tail.ts";

export interface ReportOptions {
  /** Absolute folder of the run; made where it is missing. */
  readonly folder: string;
  /** Counters of every node's connection, asked for when the run is over. */
  readonly stats?: () => ReadonlyMap<string, TransportStats>;
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

/** Never throws for a disk that is full or gone: what cannot be kept is told, the result stands. */
export function createReport(options: ReportOptions): Report {
  return new RunReport(options);
}

class RunReport implements Report {
  readonly #options: ReportOptions;
  readonly #events: EventFile;
  readonly #logs: LogFiles;
  #state: RunState | undefined;
  #names: LogNames = logNames([]);

  constructor(options: ReportOptions) {
    this.#options = options;
    const warn = (message: string) => options.warn?.(message);
    this.#events = new EventFile(join(options.folder, "events.jsonl"), { warn });
    this.#logs = new LogFiles({ folder: join(options.folder, "logs"), warn });
  }

  event(event: Event, state: RunState): void {
    this.#state = state;
    this.#events.append(event);
    if (event.type === "run.started") {
      this.#names = logNames(event.steps.map(({ id }) => id));
      this.#logs.setNames(this.#names);
    }
    if (event.type === "attempt.finished") this.#logs.finish(event.step, event.attempt);
  }

  output(chunk: OutputChunk): void {
    this.#logs.write(chunk);
  }

  async close(): Promise<void> {
    this.#events[Symbol.dispose]();
    this.#logs[Symbol.dispose]();
    if (this.#state !== undefined) await this.#writeReports(this.#state);
  }

  async #writeReports(state: RunState): Promise<void> {
    const { folder } = this.#options;
    const report = runDocument(state, {
      logOf: (step, attempt) =>
        this.#logs.has(step, attempt) ? `logs/${this.#names(step, attempt)}` : null,
      transports: this.#transports(),
    });
    const tails = await readTails(report, folder);
    const tail = (step: string) => tails.get(step) ?? [];
    await this.#write("report.json", () => `${JSON.stringify(report, null, 2)}\n`);
    await this.#write("junit.xml", () => renderJunit(report, { tail }));
    const graph = await drawGraph(report);
    await this.#write("report.html", () => renderHtml(report, { tail, graph }));
  }

  /** One file that cannot be written must not keep the others from being written. */
  async #write(name: string, render: () => string): Promise<void> {
    try {
      await writeAtomic(join(this.#options.folder, name), render());
    } catch (error) {
      if (!(error instanceof Error && "code" in error)) throw error;
      this.#options.warn?.(`Cannot write ${name} of the run: ${error.message}`);
    }
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

/** Beyond this a drawing says less than the timeline. */
const MOST_DRAWN = 60;

/** Empty where there is nothing to see: a single step, no arrow, or too many. */
async function drawGraph(report: RunDocument): Promise<string> {
  const steps = report.steps.filter(({ hook }) => hook === null);
  const hasArrows = steps.some((step) => step.needs.length + step.after.length > 0);
  if (!hasArrows || steps.length > MOST_DRAWN) return "";
  const { renderSvg } = await lazy<typeof import("./graph/svg.ts")>(
    "./graph/svg.ts",
    import.meta.url,
  );
  return renderSvg(steps);
}
