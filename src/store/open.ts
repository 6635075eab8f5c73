import type { DatabaseSync, StatementSync } from "node:sqlite";
import { GridError } from "../core/errors.ts";
import type { Event } from "../engine/event.ts";
import { inTransaction, openDatabase } from "./database.ts";
import { explaining } from "./problem.ts";
import type { RunRow, Store } from "./store.ts";

/** Ids named in the message when a prefix fits many. */
const MOST_NAMED = 5;

/**
 * Opens the store at `path`, making the file and its folders where they are missing.
 *
 * @throws {GridError} `usage` for a file that is damaged, foreign or newer; `conflict` if locked
 */
export function openStore(path: string): Store {
  return new SqliteStore(path);
}

type CacheRows = ReadonlyMap<string, { readonly at: number; readonly json: string }>;

class SqliteStore implements Store {
  readonly #path: string;
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** Run → row id, for the runs this process writes. */
  readonly #ids = new Map<string, number>();

  constructor(path: string) {
    this.#path = path;
    this.#database = openDatabase(path);
  }

  append(run: string, event: Event): void {
    this.#explaining("write to", () => {
      if (event.type === "run.started") return this.#startRun(run, event);
      if (event.type === "run.finished") return this.#finishRun(run, event);
      this.#insert(this.#idOf(run), event);
    });
  }

  runs({ limit = -1 }: { readonly limit?: number } = {}): readonly RunRow[] {
    return this.#explaining(
      "read",
      () =>
        this.#prepare("SELECT * FROM runs ORDER BY started_at DESC, id DESC LIMIT ?")
          .all(limit).map(runRow),
    );
  }

  events(run: string): readonly Event[] {
    const id = this.#idOf(this.resolveRun(run));
    return this.#explaining(
      "read",
      () =>
        this.#prepare("SELECT json FROM events WHERE run_id = ? ORDER BY seq").all(id).map(eventOf),
    );
  }

  resolveRun(name: string): string {
    if (name === "last") {
      const [last] = this.runs({ limit: 1 });
      if (last) return last.run;
      throw noRun("Cannot find the last run: there has been none yet", "start one: grid run …");
    }
    // Ranges instead of LIKE: an underscore is an ordinary character here.
    const found = this.#explaining(
      "read",
      () =>
        this.#prepare("SELECT run FROM runs WHERE run >= ? AND run < ? ORDER BY run")
          .all(name, `${name}\u{10FFFF}`).map((row) => String(row["run"])),
    );
    const exact = found.find((run) => run === name);
    const [only, ...more] = exact === undefined ? found : [exact];
    if (only !== undefined && more.length === 0) return only;
    if (only === undefined) {
      throw noRun(`Cannot find run "${name}": there is none`, "see: grid runs");
    }
    const some = found.slice(-MOST_NAMED).join(", ");
    throw noRun(`Cannot tell which run "${name}" is: ${found.length} begin so`, `such as ${some}`);
  }

  *eventsOfTypes(types: readonly Event["type"][]): Iterable<Event> {
    const marks = types.map(() => "?").join(", ");
    // Not one of the kept statements: a reader may stop half-way while another begins.
    const statement = this.#database.prepare(
      `SELECT json FROM events WHERE type IN (${marks}) ORDER BY seq`,
    );
    for (const row of statement.iterate(...types)) yield eventOf(row);
  }

  load(keys: readonly string[]): CacheRows {
    return this.#explaining("read", () => {
      const select = this.#prepare("SELECT at, json FROM cache WHERE key = ?");
      return new Map(keys.flatMap((key) => {
        const row = select.get(key);
        return row ? [[key, { at: Number(row["at"]), json: String(row["json"]) }] as const] : [];
      }));
    });
  }

  save(rows: CacheRows): void {
    this.#explaining("write to", () =>
      inTransaction(this.#database, () => {
        const upsert = this.#prepare(
          `INSERT INTO cache (key, at, json) VALUES (?, ?, ?)
           ON CONFLICT (key) DO UPDATE SET at = excluded.at, json = excluded.json`,
        );
        for (const [key, { at, json }] of rows) upsert.run(key, Math.round(at), json);
      }));
  }

  [Symbol.dispose](): void {
    this.#statements.clear();
    if (this.#database.isOpen) this.#database.close();
  }

  #startRun(run: string, event: Extract<Event, { type: "run.started" }>): void {
    inTransaction(this.#database, () => {
      const { lastInsertRowid } = this.#prepare(
        "INSERT INTO runs (run, pipeline, file, started_at, result) VALUES (?, ?, ?, ?, 'running')",
      ).run(run, event.pipeline, event.file, event.at);
      this.#insert(Number(lastInsertRowid), event);
    });
  }

  #finishRun(run: string, event: Extract<Event, { type: "run.finished" }>): void {
    inTransaction(this.#database, () => {
      this.#insert(this.#idOf(run), event);
      this.#prepare("UPDATE runs SET finished_at = ?, result = ?, exit_code = ? WHERE run = ?")
        .run(event.at, event.state, event.exitCode, run);
    });
  }

  #insert(id: number, event: Event): void {
    this.#prepare("INSERT INTO events (run_id, type, json) VALUES (?, ?, ?)")
      .run(id, event.type, JSON.stringify(event));
  }

  #idOf(run: string): number {
    const known = this.#ids.get(run);
    if (known !== undefined) return known;
    const row = this.#explaining(
      "read",
      () => this.#prepare("SELECT id FROM runs WHERE run = ?").get(run),
    );
    if (!row) {
      throw new GridError({
        code: "bug",
        message: `Cannot journal for run "${run}": it never started`,
      });
    }
    const id = Number(row["id"]);
    this.#ids.set(run, id);
    return id;
  }

  #prepare(sql: string): StatementSync {
    const known = this.#statements.get(sql);
    if (known) return known;
    const statement = this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }

  #explaining<T>(action: string, work: () => T): T {
    return explaining({ path: this.#path, action }, work);
  }
}

type Row = Record<string, unknown>;

function runRow(row: Row): RunRow {
  const finishedAt = row["finished_at"];
  const exitCode = row["exit_code"];
  return {
    run: String(row["run"]),
    pipeline: String(row["pipeline"]),
    file: String(row["file"]),
    startedAt: Number(row["started_at"]),
    finishedAt: finishedAt === null ? undefined : Number(finishedAt),
    result: String(row["result"]),
    exitCode: exitCode === null ? undefined : Number(exitCode),
  };
}

function eventOf(row: Row): Event {
  return JSON.parse(String(row["json"]));
}

function noRun(message: string, hint: string): GridError {
  return new GridError({ code: "usage", message, hint });
}
