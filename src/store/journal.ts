import { pythonJson } from "../core/exact_json.ts";
import { GridError } from "../core/errors.ts";
import type { Event } from "../engine/event.ts";
import type { Connection } from "./connection.ts";
import { LATEST_TIME, readEvent, unreadable } from "./read_event.ts";
import { resolveRun } from "./run_name.ts";
import type { CopiedEvent, RunRow } from "./store.ts";
import type { CountedEvent } from "./tallies.ts";

/** What went on from a run, and the last event where it has no end, each found by an index. */
const SELECT = `SELECT runs.*,
  (SELECT later.run FROM runs AS later WHERE later.resumes = runs.run
   ORDER BY later.id DESC LIMIT 1) AS resumed_as,
  CASE WHEN finished_at IS NULL THEN
    (SELECT CASE WHEN json_valid(json) THEN json ->> '$.at' END
     FROM journal WHERE run_id = runs.id ORDER BY seq DESC LIMIT 1)
  END AS last_event_at
  FROM runs`;
const SELECT_RUNS = `${SELECT} ORDER BY id DESC LIMIT ?`;
const SELECT_RUN = `${SELECT} WHERE run = ?`;

/** Events of runs, in the order they were appended, and one row per run to find them by. */
export class RunJournal {
  readonly #connection: Connection;
  /** The runs that this process writes. */
  readonly #writing = new Map<string, { readonly id: number; nextSeq: number }>();

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  append(run: string, events: readonly Event[]): void {
    try {
      this.#connection.transaction(() => {
        for (const event of events) this.#add(run, event);
      });
    } catch (error) {
      // What was counted was not written.
      this.#writing.delete(run);
      throw error;
    }
  }

  copy(run: string, events: readonly CopiedEvent[]): void {
    this.#connection.transaction(() => {
      // Another process may have brought some of it since.
      this.#writing.delete(run);
      let next = this.#begun(run) ? this.#placeOf(run).nextSeq : 1;
      for (const { seq, event } of events) {
        if (seq < next) continue;
        if (seq > next) throw gapIn(run, { next, seq });
        this.#add(run, event);
        next += 1;
      }
    });
  }

  #begun(run: string): boolean {
    return this.#connection.prepare("SELECT 1 FROM runs WHERE run = ?").get(run) !== undefined;
  }

  runs({ limit = -1 }: { readonly limit?: number } = {}): readonly RunRow[] {
    return this.#connection.read(() => {
      const select = this.#connection.prepare(SELECT_RUNS);
      // A damaged row may hold a number beyond what is read otherwise.
      select.setReadBigInts(true);
      // Not by time: a clock that is set back must not bring an older run to the top.
      return select.all(limit).map(runRow);
    });
  }

  setNote(run: string, note: string): void {
    this.#connection.write(() =>
      this.#connection.prepare("UPDATE runs SET note = ? WHERE run = ?")
        .run(note === "" ? null : note, run)
    );
  }

  /** Newest first, each read when it is wanted. */
  *eachRun(): Iterable<RunRow> {
    const select = this.#connection.read(() => this.#connection.prepareOnce(SELECT_RUNS));
    select.setReadBigInts(true);
    const rows = select.iterate(-1)[Symbol.iterator]();
    for (;;) {
      const next = this.#connection.read(() => rows.next());
      if (next.done) return;
      yield runRow(next.value);
    }
  }

  /** The run of exactly this id. */
  row(run: string): RunRow | undefined {
    return this.#connection.read(() => {
      const select = this.#connection.prepare(SELECT_RUN);
      select.setReadBigInts(true);
      const row = select.get(run);
      return row && runRow(row);
    });
  }

  /** The same text as long as no run was added, noted on or ended. */
  listVersion(): string {
    return this.#connection.read(() => {
      const row = this.#connection.prepare(
        "SELECT max(id) AS last, count(finished_at) AS ended, total(length(note)) AS notes FROM runs",
      ).get();
      return `${row?.["last"]} ${row?.["ended"]} ${row?.["notes"]}`;
    });
  }

  events(run: string): readonly Event[] {
    return this.eventsSince(this.resolveRun(run), 0).map(({ event }) => event);
  }

  eventsSince(run: string, seq: number): readonly CountedEvent[] {
    return this.#connection.read(() => {
      const select = this.#connection.prepare(
        "SELECT seq, json FROM journal WHERE run_id = ? AND seq > ? ORDER BY seq",
      );
      return select.all(this.#idOf(run), seq).map((row) => {
        const event = readEvent(String(row["json"]));
        if (typeof event === "string") throw unreadable(run, `event ${row["seq"]} ${event}`);
        return { seq: Number(row["seq"]), event };
      });
    });
  }

  resolveRun(name: string): string {
    return resolveRun(this.#connection, name);
  }

  latestOf(run: string): string {
    return this.#connection.read(() => {
      const newest = this.#connection.prepare(
        "SELECT run FROM runs WHERE resumes = ? ORDER BY id DESC LIMIT 1",
      );
      const seen = new Set([run]);
      for (let latest = run;;) {
        const next = newest.get(latest)?.["run"];
        // A circle stands only in a damaged journal.
        if (typeof next !== "string" || seen.has(next)) return latest;
        seen.add(next);
        latest = next;
      }
    });
  }

  #add(run: string, event: Event): void {
    if (event.type === "run.started") this.#startRun(run, event);
    this.#insert(run, event);
    if (event.type === "run.finished") this.#finishRun(run, event);
  }

  /** @throws {GridError} `conflict` where two runners were started with one id */
  #startRun(run: string, event: Extract<Event, { type: "run.started" }>): void {
    if (this.#begun(run)) throw alreadyRan(run);
    this.#connection.prepare(
      "INSERT INTO runs (run, pipeline, file, started_at, result, resumes)" +
        " VALUES (?, ?, ?, ?, 'running', ?)",
    ).run(run, event.pipeline, event.file, event.at, event.resumes ?? null);
  }

  #finishRun(run: string, event: Extract<Event, { type: "run.finished" }>): void {
    this.#connection.prepare(
      "UPDATE runs SET finished_at = ?, duration_ms = ?, result = ?, exit_code = ? WHERE run = ?",
    ).run(
      event.at,
      event.durationMs ?? null,
      // What did nothing did not succeed, though nothing failed.
      event.skipped === undefined ? event.state : "skipped",
      event.exitCode,
      run,
    );
  }

  #insert(run: string, event: Event): void {
    const place = this.#placeOf(run);
    this.#connection.prepare("INSERT INTO journal (run_id, seq, type, json) VALUES (?, ?, ?, ?)")
      .run(place.id, place.nextSeq, event.type, pythonJson(event));
    place.nextSeq++;
  }

  /** Where the run's next event goes; one process writes a run, so that it may count by itself. */
  #placeOf(run: string): { readonly id: number; nextSeq: number } {
    const known = this.#writing.get(run);
    if (known) return known;
    const id = this.#idOf(run);
    const row = this.#connection.prepare("SELECT max(seq) AS last FROM journal WHERE run_id = ?")
      .get(id);
    const place = { id, nextSeq: Number(row?.["last"] ?? 0) + 1 };
    this.#writing.set(run, place);
    return place;
  }

  #idOf(run: string): number {
    const row = this.#connection.prepare("SELECT id FROM runs WHERE run = ?").get(run);
    if (row) return Number(row["id"]);
    const message = `Cannot journal for run "${run}": it never started`;
    throw new GridError({ code: "bug", message });
  }
}

type Row = Record<string, unknown>;

/** Whatever stands there; a damaged row is shown as it can be, and the others as they are. */
function runRow(row: Row): RunRow {
  const exitCode = row["exit_code"];
  const resumes = row["resumes"];
  const resumedAs = row["resumed_as"];
  const note = row["note"];
  const durationMs = timeIn(row["duration_ms"]);
  const lastEventAt = timeIn(row["last_event_at"]);
  return {
    run: String(row["run"]),
    pipeline: String(row["pipeline"]),
    file: String(row["file"]),
    startedAt: timeIn(row["started_at"]) ?? 0,
    finishedAt: timeIn(row["finished_at"]),
    result: String(row["result"]),
    exitCode: exitCode === null ? undefined : Number(exitCode),
    ...(durationMs === undefined ? {} : { durationMs }),
    ...(lastEventAt === undefined ? {} : { lastEventAt }),
    ...(typeof resumes === "string" ? { resumes } : {}),
    ...(typeof resumedAs === "string" ? { resumedAs } : {}),
    ...(typeof note === "string" ? { note } : {}),
  };
}

/** A number that `Date` can take. */
function timeIn(value: unknown): number | undefined {
  if (typeof value !== "number" && typeof value !== "bigint") return undefined;
  return Math.min(Math.max(Number(value), 0), LATEST_TIME);
}

function alreadyRan(run: string): GridError {
  return new GridError({
    code: "conflict",
    message: `Cannot start run ${run}: it has begun already`,
    hint: `look: grid show ${run}`,
  });
}

function gapIn(run: string, { next, seq }: { readonly next: number; readonly seq: number }) {
  const message = `Cannot journal for run "${run}": event ${next} is missing before event ${seq}`;
  return new GridError({ code: "bug", message });
}
